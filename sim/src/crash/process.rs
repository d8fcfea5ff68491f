//! The process of a replica: the production log, key-value store, shard store and maintenance, started as a node starts
//! them and driven step by step.

use std::sync::{Arc, OnceLock};

use anyhow::{Context, bail};
use covey_embeddings::{DamagedRow, Maintainer, Repaired, Step};
use covey_env::{Disk, Env};
use covey_shard::{EntryToApply, Payload, ShardCheckpoint, ShardStore, WrittenCheckpoint};
use covey_shared::command::Proposal;
use covey_shared::ids::*;
use covey_shared::model::F16Vector;
use covey_store::kv::{JournalKv, KvStore};
use covey_store::log::{GroupId, LogBatch, LogEntry, LogPosition, LogStore, RecoveredGroup, Wal};
use covey_store::test_disk::TestDisk;

use super::answers::Answers;
use super::settings::{Settings, kv_dir, shard_dir, wal_dir};
use super::{Bug, bugs};

/// The group of the replica.
pub(super) const GROUP: GroupId = GroupId(7 << 16 | 6);

/// A checkpoint on its way.
enum Checkpointing {
    Idle,
    Begun(ShardCheckpoint),
    Written(WrittenCheckpoint),
    Finished(LogIndex),
}

/// What a process is started with.
#[derive(Clone, Copy)]
pub(super) struct Machine<'a> {
    pub(super) disk: &'a TestDisk,
    pub(super) settings: &'a Settings,
    pub(super) bug: Option<Bug>,
}

/// One life of the replica. Its errors end it, as they end a node, except those of maintenance.
pub(super) struct Process {
    log: Wal,
    kv: Arc<dyn KvStore>,
    store: ShardStore,
    maintainer: Maintainer,
    checkpoint: Checkpointing,
    /// Everything up to here was made durable by this process.
    durable: u64,
}

/// A world with this disk. Stores use nothing else of it: no time and no chance, so that a seed replays.
pub(super) fn world(disk: Arc<dyn Disk>) -> Env {
    static WORLD: OnceLock<Env> = OnceLock::new();
    let world = WORLD.get_or_init(|| Env::production(1).expect("a machine has room for one thread"));
    Env { disk, ..world.clone() }
}

impl Process {
    /// Recovers what the disk holds, in the order of a node's start, and tells what the log held.
    pub(super) fn start(machine: Machine<'_>) -> anyhow::Result<(Process, RecoveredGroup)> {
        let disk = bugs::disk(machine.disk, machine.bug);
        let (mut log, mut recovered) = Wal::open(disk.clone(), wal_dir(), machine.settings.wal())?;
        let kv: Arc<dyn KvStore> = Arc::new(JournalKv::open(disk.clone(), kv_dir())?);
        let kv = bugs::kv(kv, machine.bug);
        let found = recovered.groups.remove(&GROUP);
        let env = world(disk);
        let (store, _) = ShardStore::open(&env, kv.clone(), shard_dir(), machine.settings.shard())?;
        let group = found.clone().unwrap_or_default();
        let applied = store.applied().index.0;
        let (before, last) = (group.compacted.index, group.last());
        if !(before..=last).contains(&applied) {
            bail!(
                "the store has applied {applied}, the log holds {} to {last}",
                before + 1
            );
        }
        if found.is_none() {
            let mut batch = LogBatch::new();
            batch.create_group(GROUP, LogPosition::default());
            log.append(&batch)?;
            log.sync()?;
        }
        let process = Process {
            log,
            kv,
            maintainer: store.maintainer(),
            store,
            checkpoint: Checkpointing::Idle,
            // What was read back may sit in the page cache only.
            durable: 0,
        };
        Ok((process, group))
    }

    pub(super) fn append(&mut self, batch: &LogBatch) -> anyhow::Result<()> {
        self.log.append(batch)?;
        Ok(())
    }

    pub(super) fn sync(&mut self) -> anyhow::Result<()> {
        Ok(self.log.sync()?)
    }

    /// Number of the newest segment of the log.
    pub(super) fn newest_segment(&self) -> u64 {
        let newest = self.log.segment_paths().pop();
        let stem = newest.and_then(|path| path.file_stem()?.to_str()?.parse().ok());
        stem.unwrap_or(0)
    }

    pub(super) fn applied(&self) -> u64 {
        self.store.applied().index.0
    }

    pub(super) fn durable(&self) -> u64 {
        self.durable
    }

    /// Applies entries of the whole log `log` up to `to`, as one batch.
    pub(super) fn apply(&mut self, log: &[LogEntry], to: u64) -> anyhow::Result<()> {
        let entries = entries_to_apply(&log[self.applied() as usize..to as usize])?;
        self.store.apply(&entries)?;
        Ok(())
    }

    /// The next stage of a checkpoint, and what it did.
    pub(super) fn checkpoint(&mut self) -> anyhow::Result<&'static str> {
        let (next, what) = match std::mem::replace(&mut self.checkpoint, Checkpointing::Idle) {
            Checkpointing::Idle => (
                Checkpointing::Begun(self.store.begin_checkpoint()),
                "begin a checkpoint",
            ),
            Checkpointing::Begun(begun) => (Checkpointing::Written(begun.run()?), "write the vectors"),
            Checkpointing::Written(written) => {
                let index = self.store.finish_checkpoint(written)?;
                (Checkpointing::Finished(index), "finish the checkpoint")
            }
            Checkpointing::Finished(index) => {
                self.kv.persist()?;
                self.durable = index.0;
                (Checkpointing::Idle, "persist the key-value store")
            }
        };
        self.checkpoint = next;
        Ok(what)
    }

    /// One step of maintenance.
    pub(super) fn maintain(&self) -> anyhow::Result<Step> {
        Ok(self.maintainer.step()?)
    }

    /// Reads the files of all sealed vectors again, and names the rows that are damaged.
    pub(super) fn scrub(&self) -> Vec<DamagedRow> {
        let mut scrub = self.store.view().scrub();
        while scrub.step().is_some() {}
        scrub.report().damaged.clone()
    }

    /// Puts a copy in the place of a damaged row.
    pub(super) fn repair(&mut self, damaged: &DamagedRow, copy: &F16Vector) -> Repaired {
        self.store.repair(damaged, copy)
    }

    /// Has the files of repaired rows written again elsewhere.
    pub(super) fn rewrite(&self, repaired: &[DamagedRow]) {
        self.store.view().rewrite(repaired);
    }

    pub(super) fn answers(&self) -> anyhow::Result<Answers> {
        Ok(Answers::of(&self.store.view(), &|| self.store.stats())?)
    }
}

/// Entries of the log as the store takes them.
pub(super) fn entries_to_apply(log: &[LogEntry]) -> anyhow::Result<Vec<EntryToApply>> {
    let decode = |entry: &LogEntry| {
        let payload = if entry.data.is_empty() {
            Payload::Empty
        } else {
            let proposal = Proposal::decode(&entry.data);
            Payload::Command(proposal.with_context(|| format!("entry {}", entry.index))?)
        };
        Ok(EntryToApply {
            index: LogIndex(entry.index),
            term: Term(entry.term),
            payload,
        })
    };
    log.iter().map(decode).collect()
}
