//! What is not taken over, and installs that are cut short.

use std::cell::Cell;

use covey_shared::ids::*;
use covey_shared::members::Members;
use covey_shared::slots::SlotRange;

use super::*;
use crate::answers::{answers, assert_same};
use crate::fixture::HALF;
use crate::random_log::random_log;
use crate::snapshot::ShardExport;
use crate::snapshot::fixture::*;
use crate::{Incarnation, MAX_RETIRED};

/// A node with a replica of its own, and an export that could replace it.
struct Setting {
    source: Source,
    export: ShardExport,
    node: Node,
    old: ShardStore,
    _files: tempfile::TempDir,
}

fn setting() -> Setting {
    let (source, export, files) = Source::exported();
    let node = Node::new();
    let (mut old, _) = node.open(HALF);
    old.apply(&random_log(2, 100)).unwrap();
    Setting {
        source,
        export,
        node,
        old,
        _files: files,
    }
}

impl Setting {
    /// Tries to install a changed snapshot, checks that the replica is as it was, and gives the error.
    fn refused(&self, manifest: &SnapshotManifest) -> ShardStoreError {
        let before = answers(&self.old);
        let kv = &*self.node.kv;
        let generation = Incarnation::begin(kv, SHARD).unwrap();
        let refused = self.node.install(manifest, generation, &|| false);
        let Err(error) = refused else {
            panic!("it was installed")
        };
        assert_eq!(Incarnation::load(kv, SHARD).unwrap().generation, Generation(1));
        assert_same(&answers(&self.old), &before, "after a refusal");
        self.node.sweep(HALF).unwrap();
        assert_same(&answers(&self.old), &before, "after a refusal and a sweep");
        assert!(!self.node.env.disk.exists(&self.node.dir_of(generation)).unwrap());
        error
    }

    fn stage(&self) {
        self.node.stage(&self.source.replica.env, &self.export);
    }

    /// Changes a staged file.
    fn change(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let (disk, path) = (&self.node.env.disk, self.node.staged(name));
        let mut content = disk.read_file(&path, 1 << 30).unwrap();
        change(&mut content);
        disk.replace_file(&path, &content).unwrap();
    }

    fn takes_over(&self) {
        let store = self.node.take_over(&self.source.replica.env, &self.export);
        assert_same(
            &answers(&store),
            &answers(&self.source.replica.store),
            "the untouched snapshot",
        );
    }
}

#[test]
fn a_manifest_that_does_not_say_what_the_records_say_is_refused() {
    let setting = setting();
    let differs = |change: &dyn Fn(&mut SnapshotManifest)| {
        setting.stage();
        let mut manifest = setting.export.manifest.clone();
        change(&mut manifest);
        match setting.refused(&manifest) {
            ShardStoreError::Snapshot(SnapshotError::Differs { what }) => what,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(differs(&|m| m.descriptor.shard = ShardId(8)), "shard");
    assert_eq!(differs(&|m| m.index = LogIndex(199)), "index");
    assert_eq!(differs(&|m| m.term = Term(2)), "term");
    assert_eq!(differs(&|m| m.descriptor.epoch.conf_ver += 1), "epoch");
    let lists: [fn(&mut Members) -> &mut Vec<ReplicaId>; 4] = [
        |m| &mut m.voters,
        |m| &mut m.outgoing,
        |m| &mut m.learners,
        |m| &mut m.learners_next,
    ];
    for list in lists {
        let longer = |m: &mut SnapshotManifest| list(&mut m.descriptor.members).push(ReplicaId(9));
        assert_eq!(differs(&longer), "list of members");
    }
    setting.takes_over();
}

#[test]
fn a_snapshot_of_other_slots_is_refused_by_its_manifest_and_by_its_keys() {
    let setting = setting();
    setting.stage();
    let other = SlotRange { start: 0, end: 4096 };
    let mut manifest = setting.export.manifest.clone();
    manifest.descriptor.slots = other;
    // The fixture's replica has the slots of the manifest.
    let foreign = setting.refused(&manifest);
    assert!(
        matches!(foreign, ShardStoreError::Snapshot(SnapshotError::Foreign { .. })),
        "{foreign:?}"
    );
    let staged = StagedSnapshot {
        manifest: &manifest,
        path_of: &|name| setting.node.staged(name),
        stop: &|| false,
    };
    let node = &setting.node;
    let (options, dir) = (small_options(9, HALF), node.dir_of(Generation(9)));
    let refused = ShardStore::install(&node.env, Arc::clone(&node.kv), &dir, options, &staged);
    assert!(matches!(
        refused,
        Err(ShardStoreError::Snapshot(SnapshotError::Differs {
            what: "range of slots"
        }))
    ),);
    setting.takes_over();
}

#[test]
fn damaged_short_and_foreign_files_of_records_are_refused() {
    let setting = setting();
    let refused = |change: &dyn Fn(&mut Vec<u8>)| {
        setting.stage();
        setting.change("kv-0000", change);
        match setting.refused(&setting.export.manifest) {
            ShardStoreError::Snapshot(error) => error,
            other => panic!("{other:?}"),
        }
    };
    let cut = |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() - 1);
    assert!(matches!(refused(&cut), SnapshotError::Damaged { .. }));
    assert!(matches!(refused(&Vec::clear), SnapshotError::Damaged { offset: 0, .. }));
    assert!(matches!(
        refused(&|bytes| bytes[0] ^= 1),
        SnapshotError::Damaged { offset: 0, .. }
    ));
    assert!(matches!(
        refused(&|bytes| bytes[12] ^= 1),
        SnapshotError::OtherShard { .. }
    ));
    // The first key begins at 28 with its slot.
    assert!(matches!(
        refused(&|bytes| bytes[28] = 0x20),
        SnapshotError::Foreign { .. }
    ));
    // A header, and nothing behind it.
    setting.stage();
    setting.change("kv-0000", |bytes| bytes.truncate(20));
    let error = setting.refused(&setting.export.manifest);
    let lacks = SnapshotError::Differs { what: "applied record" };
    assert_eq!(error.to_string(), lacks.to_string());
    // Records that decode to nothing are refused by their kind.
    setting.stage();
    setting.change("kv-0000", |bytes| {
        let value = 28 + u32::from_le_bytes(bytes[20..24].try_into().unwrap()) as usize;
        bytes[value] = 9;
    });
    let error = setting.refused(&setting.export.manifest);
    assert!(matches!(error, ShardStoreError::Record { .. }), "{error:?}");
    setting.takes_over();
}

#[test]
fn damaged_files_of_vectors_are_refused() {
    let setting = setting();
    let names = setting.export.manifest.files.iter().map(|file| file.name.clone());
    for name in names.filter(|name| name.ends_with("/rows.ids")) {
        setting.stage();
        setting.change(&name, |bytes| bytes[4096] ^= 1);
        let error = setting.refused(&setting.export.manifest);
        assert!(matches!(error, ShardStoreError::Partition(_)), "{name}: {error:?}");
    }
    setting.stage();
    let mut manifest = setting.export.manifest.clone();
    manifest.folders[0].rows += 1;
    let error = setting.refused(&manifest);
    assert!(matches!(error, ShardStoreError::Partition(_)), "{error:?}");
    let missing = setting.node.staged(&setting.export.manifest.files.last().unwrap().name);
    setting.stage();
    setting.node.env.disk.remove_file(&missing).unwrap();
    let error = setting.refused(&setting.export.manifest);
    assert!(
        matches!(error, ShardStoreError::Snapshot(SnapshotError::Io { .. })),
        "{error:?}"
    );
    setting.takes_over();
}

#[test]
fn an_install_that_is_dropped_at_any_step_leaves_the_replica_alone_and_begins_again() {
    let setting = setting();
    let (node, kv) = (&setting.node, &*setting.node.kv);
    let before = answers(&setting.old);
    let mut steps = 0;
    loop {
        setting.stage();
        let generation = Incarnation::begin(kv, SHARD).unwrap();
        let calls = Cell::new(0);
        let stop = || {
            calls.set(calls.get() + 1);
            calls.get() > steps
        };
        match node.install(&setting.export.manifest, generation, &stop) {
            Err(ShardStoreError::Stopped) => steps += 1,
            Err(error) => panic!("after {steps} steps: {error:?}"),
            // Also dropped: between the install and the switch.
            Ok(_) => break,
        }
        assert_same(&answers(&setting.old), &before, &format!("after {steps} steps"));
        if steps % 5 == 0 || Incarnation::load(kv, SHARD).unwrap().retired.len() == MAX_RETIRED {
            node.sweep(HALF).unwrap();
        }
    }
    assert!(steps > 5, "{steps} steps");
    let (reopened, _) = node.open(HALF);
    assert_same(&answers(&reopened), &before, "reopened before the switch");
    setting.takes_over();
    node.sweep(HALF).unwrap();
    assert!(Incarnation::load(kv, SHARD).unwrap().retired.is_empty());
    let (reopened, report) = node.open(HALF);
    assert_same(&answers(&reopened), &answers(&setting.source.replica.store), "reopened");
    assert_eq!(report.pending_rows, 0, "the install made all rows durable");
}
