//! Opens a replica: columns and timelines from the key-value store, vectors from the partition and the rows that no
//! checkpoint had made durable.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use arc_swap::ArcSwap;
use covey_ann::encode_row;
use covey_embeddings::{Partition, PartitionError, RowMeta};
use covey_env::Env;
use covey_shared::ids::{LogIndex, PostKey, UnixMillis};
use covey_shared::slots::{Slot, SlotRange};
use covey_store::kv::KvStore;

use crate::ahead::ReadAhead;
use crate::applied::Applied;
use crate::apply::Change;
use crate::db::Db;
use crate::error::ShardStoreError;
use crate::expiry::Expiry;
use crate::keys::Keys;
use crate::load::{Part, parts};
use crate::memory::Memory;
use crate::options::ShardOptions;
use crate::progress::Progress;
use crate::read::ShardView;
use crate::records::PendingRow;
use crate::store::ShardStore;

/// Threads that read records ahead. The one that puts them into memory keeps up with about so many.
const HELPERS: usize = 3;
/// Fewer are read before a thread has started.
const MANY_RECORDS: u64 = 50_000;

/// What an open found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// Records that were read.
    pub records: u64,
    /// Live posts.
    pub posts: u64,
    /// Known users.
    pub users: u64,
    /// Vectors that were appended again because no checkpoint had made them durable.
    pub pending_rows: u64,
    /// Vectors that were durable, dead ones included.
    pub durable_rows: u64,
    /// Whether the replica is new.
    pub created: bool,
    /// Time for the records.
    pub records_time: Duration,
    /// Time for the durable vectors and their indexes.
    pub vectors_time: Duration,
    /// Time for the vectors that were appended again.
    pub pending_time: Duration,
}

/// Everything that is derived, while it is being rebuilt.
struct Rebuild {
    db: Db,
    memory: Memory,
    expiry: Vec<(UnixMillis, PostKey)>,
    pending: Vec<(PostKey, PendingRow)>,
    progress: Progress,
    report: OpenReport,
}

impl ShardStore {
    /// Opens a replica from the node's key-value store and its own folder `dir`, or begins a new one. Takes four threads: the
    /// node has nothing else to do yet.
    ///
    /// # Errors
    /// Damaged records or files, a replica that was found damaged before, and what the disk says.
    pub fn open(
        env: &Env,
        kv: Arc<dyn KvStore>,
        dir: &Path,
        options: ShardOptions,
    ) -> Result<(ShardStore, OpenReport), ShardStoreError> {
        ShardStore::open_with(env, kv, dir, options, MANY_RECORDS)
    }

    /// Opens it on the caller's thread alone.
    pub(crate) fn open_quietly(
        env: &Env,
        kv: Arc<dyn KvStore>,
        dir: &Path,
        options: ShardOptions,
    ) -> Result<(ShardStore, OpenReport), ShardStoreError> {
        ShardStore::open_with(env, kv, dir, options, u64::MAX)
    }

    /// As [`ShardStore::open`]; several threads read from `many` records on.
    fn open_with(
        env: &Env,
        kv: Arc<dyn KvStore>,
        dir: &Path,
        options: ShardOptions,
        many: u64,
    ) -> Result<(ShardStore, OpenReport), ShardStoreError> {
        let keys = Keys {
            generation: options.generation,
            shard: options.descriptor.shard,
        };
        let db = Db::new(kv, keys);
        if db.exists(&keys.condemned())? {
            let shard = keys.shard;
            return Err(ShardStoreError::Condemned { shard });
        }
        let there = db.applied()?;
        let created = there.is_none();
        let applied = there.unwrap_or_else(|| Applied::nothing(&options.descriptor));
        if created {
            db.commit(std::iter::once((keys.applied(), Some(applied.encode()?))))?;
        }
        let mut rebuild = Rebuild {
            memory: Memory::new(options.half_lives()),
            db,
            expiry: Vec::new(),
            pending: Vec::new(),
            progress: Progress::new(env, keys.shard, applied.slots),
            report: OpenReport {
                created,
                ..OpenReport::default()
            },
        };
        check_folder(env, dir, &applied)?;
        let helpers = if rebuild.db.approximate_len()? < many {
            0
        } else {
            HELPERS
        };
        let expiry = rebuild.run(env, applied.slots, helpers)?;
        rebuild.into_store(env, dir, options, (applied, expiry))
    }
}

/// Nothing is applied before the folder is there for good: where it is missing later, vectors are lost.
fn check_folder(env: &Env, dir: &Path, applied: &Applied) -> Result<(), PartitionError> {
    let path = dir.to_path_buf();
    match env.disk.exists(dir) {
        Ok(false) if applied.index > LogIndex(0) => Err(PartitionError::Damaged {
            path,
            what: "it is missing, but entries were applied",
        }),
        Ok(_) => Ok(()),
        Err(source) => Err(PartitionError::Io { path, source }),
    }
}

impl Rebuild {
    /// Puts into memory what the records say, part by part in the order of slots, whoever has read them.
    fn run(&mut self, env: &Env, slots: SlotRange, helpers: usize) -> Result<Expiry, ShardStoreError> {
        let (db, parts) = (self.db.clone(), parts(slots));
        let ahead = ReadAhead::start(env, helpers, parts.len(), move |number| Part::read(&db, parts[number]));
        while let Some(part) = ahead.next() {
            let part = part?;
            let end = Slot(part.end);
            self.add(part);
            self.progress.at(end, self.report.records);
        }
        let expiry = Expiry::of(std::mem::take(&mut self.expiry));
        self.report.posts = u64::from(self.memory.columns.live());
        self.report.records_time = self.progress.lap();
        Ok(expiry)
    }

    fn add(&mut self, part: Part) {
        self.report.records += part.records;
        self.expiry.extend(part.expiry);
        for post in part.deleted {
            self.memory.delete(post);
        }
        for post in &part.posts {
            self.memory.put(post);
        }
        for (user, state) in part.users {
            self.memory.set_followers(user, state.followers);
            if state.known {
                self.memory.add_user();
                self.report.users += 1;
            }
        }
        self.pending.extend(part.pending);
        for slot in part.outbox {
            self.memory.outbox.add(slot, 1);
        }
    }

    fn into_store(
        mut self,
        env: &Env,
        dir: &Path,
        options: ShardOptions,
        (applied, expiry): (Applied, Expiry),
    ) -> Result<(ShardStore, OpenReport), ShardStoreError> {
        let (memory, content) = (&self.memory, options.content.clone());
        let table = memory.columns.table();
        // A row that is ahead of the key-value store is dropped too: its entry will be applied again.
        let live = |meta: &RowMeta| {
            let key = PostKey {
                author: meta.author,
                post: meta.post,
            };
            let row = memory.ids.live(key).and_then(|ordinal| table.live(ordinal));
            row.is_some_and(|row| row.version() == meta.version && row.tag().0 == meta.tag)
        };
        let partition_options = options.partition.clone();
        let (mut partition, found) = Partition::open(
            env.clone(),
            dir.to_path_buf(),
            content.clone(),
            partition_options,
            &live,
        )?;
        self.report.durable_rows = found.durable_rows;
        self.report.vectors_time = self.progress.lap();
        let mut pending = BTreeMap::new();
        for (key, row) in std::mem::take(&mut self.pending) {
            let encoded =
                encode_row(content.metric, content.dim, &row.vector.to_f32()).map_err(ShardStoreError::Search)?;
            let meta = RowMeta {
                post: key.post,
                author: key.author,
                version: row.version,
                tag: row.tag,
                slot: Slot::of(key.author),
            };
            Change::Vector(meta, encoded).run(&self.memory, &mut partition);
            pending.insert(key, row.version);
            self.report.pending_rows += 1;
        }
        self.report.pending_time = self.progress.lap();
        let metadata = self.db.metadata()?.unwrap_or_default();
        let view = ShardView {
            db: self.db,
            memory: self.memory,
            reader: partition.reader(),
            content,
            options,
            metadata: ArcSwap::from_pointee(metadata),
            published: ArcSwap::from_pointee(applied.clone()),
            oldest_due_ms: AtomicU64::new(expiry.first_ms()),
            trim_behind: AtomicBool::new(false),
            upkeep_bytes: AtomicU64::new(expiry.bytes()),
        };
        let store = ShardStore {
            view: Arc::new(view),
            partition,
            applied,
            expiry,
            pending,
        };
        Ok((store, self.report))
    }
}

#[cfg(test)]
#[path = "open_test.rs"]
mod tests;
