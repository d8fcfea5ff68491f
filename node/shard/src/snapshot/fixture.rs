//! A replica that changes at random while it is exported, and nodes that take its snapshots over.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use covey_env::Env;
use covey_shared::ids::*;
use covey_shared::slots::SlotRange;
use covey_shared::wire::SnapshotManifest;
use covey_store::kv::{JournalKv, KvStore};
use covey_store::test_disk::TestDisk;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::fixture::{HALF, Replica, options};
use crate::random_log::random_log;
use crate::{EntryToApply, Incarnation, OpenReport, ShardOptions, ShardStore, ShardStoreError, replica_dir};

pub(crate) const SHARD: ShardId = ShardId(7);

/// A world whose files are in memory.
pub(crate) fn in_memory(disk: &TestDisk) -> Env {
    Env {
        disk: disk.shared(),
        ..Env::production(1).expect("a thread can be started")
    }
}

/// Small folders, so that there are many, and merges of them.
pub(crate) fn small_options(generation: u32, slots: SlotRange) -> ShardOptions {
    let mut options = options(generation, slots);
    options.partition.seal_rows = 16;
    options.partition.merge_factor = 2;
    options.partition.max_segment_rows = 64;
    options
}

/// A replica on its way through a random log, with checkpoints, seals and merges in between.
pub(crate) struct Source {
    pub(crate) replica: Replica,
    pub(crate) log: Vec<EntryToApply>,
    rng: SmallRng,
}

impl Source {
    pub(crate) fn new(seed: u64, entries: usize) -> Source {
        Source::of_slots(seed, entries, SlotRange::ALL)
    }

    pub(crate) fn of_slots(seed: u64, entries: usize, slots: SlotRange) -> Source {
        Source::on(in_memory(&TestDisk::new()), seed, entries, slots)
    }

    pub(crate) fn on(env: Env, seed: u64, entries: usize, slots: SlotRange) -> Source {
        Source {
            replica: Replica::on(env, small_options(1, slots)),
            log: random_log(seed, entries),
            rng: SmallRng::seed_from_u64(seed + 77),
        }
    }

    pub(crate) fn applied(&self) -> usize {
        self.replica.store.applied().index.0 as usize
    }

    /// Does one thing; most often it applies the next entries.
    pub(crate) fn step(&mut self) {
        let store = &mut self.replica.store;
        let from = store.applied().index.0 as usize;
        match self.rng.random_range(0..10) {
            0..4 => drop(store.maintainer().step().expect("the disk works")),
            4 => {
                store.checkpoint().expect("the disk works");
            }
            _ => {
                let to = (from + self.rng.random_range(1..6)).min(self.log.len());
                store.apply(&self.log[from..to]).expect("the entries follow each other");
            }
        }
    }

    pub(crate) fn run_to(&mut self, entries: usize) {
        while self.applied() < entries {
            self.step();
        }
    }

    pub(crate) fn export(&self) -> (ShardExport, tempfile::TempDir) {
        let dir = tempfile::tempdir().expect("there is room for a directory");
        let view = self.replica.view();
        let export = view.export(&self.replica.env, &dir.path().join("export"), &|| false);
        (export.expect("the replica is sound"), dir)
    }

    /// One of half the slots that has applied its log, with an export that has all kinds of files.
    pub(crate) fn exported() -> (Source, ShardExport, tempfile::TempDir) {
        let export_of = |seed| {
            let mut source = Source::of_slots(seed, 200, HALF);
            source.run_to(200);
            let (export, files) = source.export();
            (source, export, files)
        };
        let has_all = |export: &ShardExport| {
            let has = |name: &str| export.manifest.files.iter().any(|file| file.name.ends_with(name));
            export.manifest.folders.len() > 1 && has("kv-0001") && has("/meta")
        };
        (1..)
            .map(export_of)
            .find(|(_, export, _)| has_all(export))
            .expect("the log is long enough")
    }

    /// An export during which the replica goes on.
    pub(crate) fn export_meanwhile(source: &RefCell<Source>) -> (ShardExport, tempfile::TempDir) {
        let dir = tempfile::tempdir().expect("there is room for a directory");
        let (view, env) = (source.borrow().replica.view(), source.borrow().replica.env.clone());
        let go_on = || {
            source.borrow_mut().step();
            false
        };
        (
            view.export(&env, &dir.path().join("export"), &go_on)
                .expect("the replica is sound"),
            dir,
        )
    }
}

/// What of a log a replica has applied, in a fresh replica.
pub(crate) fn replayed(log: &[EntryToApply], slots: SlotRange) -> Replica {
    let mut replica = Replica::on(in_memory(&TestDisk::new()), small_options(1, slots));
    replica.store.apply(log).expect("the entries follow each other");
    replica
}

/// A node that takes snapshots over.
pub(crate) struct Node {
    pub(crate) env: Env,
    pub(crate) root: PathBuf,
    pub(crate) kv: Arc<dyn KvStore>,
    _dir: Option<tempfile::TempDir>,
}

impl Node {
    /// With its files in memory.
    pub(crate) fn new() -> Node {
        Node::at(in_memory(&TestDisk::new()), Path::new("/node"))
    }

    /// With files of the operating system.
    pub(crate) fn on_disk() -> Node {
        let dir = tempfile::tempdir().expect("there is room for a directory");
        let env = Env::production(1).expect("a thread can be started");
        let root = dir.path().to_owned();
        Node {
            _dir: Some(dir),
            ..Node::at(env, &root)
        }
    }

    /// Opens its key-value store; as a process that starts.
    pub(crate) fn at(env: Env, root: &Path) -> Node {
        let kv = Arc::new(JournalKv::open(Arc::clone(&env.disk), &root.join("kv")).expect("the store is sound"));
        Node {
            env,
            root: root.to_owned(),
            kv,
            _dir: None,
        }
    }

    pub(crate) fn dir_of(&self, generation: Generation) -> PathBuf {
        replica_dir(&self.root, SHARD, generation)
    }

    pub(crate) fn staged(&self, name: &str) -> PathBuf {
        self.root.join("staging").join(name)
    }

    /// Puts the files of an export where a puller would, after it has checked them.
    pub(crate) fn stage(&self, from: &Env, export: &ShardExport) {
        assert_eq!(export.manifest.files.len(), export.paths.len());
        for (file, path) in export.manifest.files.iter().zip(&export.paths) {
            let content = from.disk.read_file(path, 1 << 30).expect("the disk works");
            let staged = self.staged(&file.name);
            self.env
                .disk
                .create_dir_all(staged.parent().expect("it lies in a folder"))
                .expect("the disk works");
            self.env.disk.replace_file(&staged, &content).expect("the disk works");
            let here = hash_file(&*self.env.disk, &staged, file.name.clone(), &|| false).expect("the disk works");
            assert_eq!(&here, file, "a file changed since it was exported");
        }
    }

    pub(crate) fn install(
        &self,
        manifest: &SnapshotManifest,
        generation: Generation,
        stop: &dyn Fn() -> bool,
    ) -> Result<(ShardStore, OpenReport), ShardStoreError> {
        let staged = StagedSnapshot {
            manifest,
            path_of: &|name| self.staged(name),
            stop,
        };
        let options = small_options(generation.0, manifest.descriptor.slots);
        let (kv, dir) = (Arc::clone(&self.kv), self.dir_of(generation));
        ShardStore::install(&self.env, kv, &dir, options, &staged)
    }

    /// All that a node does with a snapshot.
    pub(crate) fn take_over(&self, from: &Env, export: &ShardExport) -> ShardStore {
        self.stage(from, export);
        let generation = Incarnation::begin(&*self.kv, SHARD).expect("the record is sound");
        let (store, report) = self
            .install(&export.manifest, generation, &|| false)
            .expect("the snapshot is sound");
        assert!(!report.created);
        Incarnation::switch(&*self.kv, SHARD, generation).expect("the record is sound");
        store
    }

    /// Opens the current incarnation.
    pub(crate) fn open(&self, slots: SlotRange) -> (ShardStore, OpenReport) {
        let generation = Incarnation::load(&*self.kv, SHARD)
            .expect("the record is sound")
            .generation;
        let options = small_options(generation.0, slots);
        ShardStore::open(&self.env, Arc::clone(&self.kv), &self.dir_of(generation), options)
            .expect("the replica is sound")
    }

    pub(crate) fn sweep(&self, slots: SlotRange) -> Result<(), ShardStoreError> {
        let dir_of = |generation| self.dir_of(generation);
        Incarnation::sweep(&self.env, &*self.kv, SHARD, slots, &dir_of, &|| false)
    }
}
