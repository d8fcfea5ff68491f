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
use covey_shared::codec::encode_versioned;
use covey_shared::ids::{LogIndex, PostId, PostKey, Term, UnixMillis, UserId};
use covey_shared::model::Post;
use covey_shared::slots::Slot;
use covey_store::kv::KvStore;

use crate::applied::Applied;
use crate::apply::Change;
use crate::db::Db;
use crate::error::ShardStoreError;
use crate::expiry::Expiry;
use crate::keys::{Keys, Kind, kind_of, number, slot_of};
use crate::memory::{Memory, PostColumns};
use crate::options::ShardOptions;
use crate::progress::Progress;
use crate::read::ShardView;
use crate::records::{PendingRow, PostState, RECORD_VERSION, UserState};
use crate::row_tag::RowTag;
use crate::store::ShardStore;

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
    expiry: Expiry,
    /// States of the slot that is being read.
    states: BTreeMap<PostKey, PostState>,
    pending: Vec<(PostKey, PendingRow)>,
    progress: Progress,
    report: OpenReport,
}

impl ShardStore {
    /// Opens a replica from the node's key-value store and its own folder `dir`, or begins a new one.
    ///
    /// # Errors
    /// Damaged records or files, a replica that was found damaged before, and what the disk says.
    pub fn open(
        env: &Env,
        kv: Arc<dyn KvStore>,
        dir: &Path,
        options: ShardOptions,
    ) -> Result<(ShardStore, OpenReport), ShardStoreError> {
        let keys = Keys {
            generation: options.generation,
            shard: options.shard,
        };
        let db = Db::new(kv, keys);
        if db.exists(&keys.condemned())? {
            let shard = keys.shard;
            return Err(ShardStoreError::Condemned { shard });
        }
        let there: Option<Applied> = db.read(&keys.applied())?;
        let created = there.is_none();
        let applied = there.unwrap_or_else(|| first_applied(&options));
        if created {
            let record = encode_versioned(RECORD_VERSION, &applied).map_err(ShardStoreError::Encode)?;
            db.commit(std::iter::once((keys.applied(), Some(record))))?;
        }
        let mut rebuild = Rebuild {
            memory: Memory::new(options.popular_half_life.as_millis() as u64),
            db,
            expiry: Expiry::default(),
            states: BTreeMap::new(),
            pending: Vec::new(),
            progress: Progress::new(env, options.shard, applied.slots),
            report: OpenReport {
                created,
                ..OpenReport::default()
            },
        };
        check_folder(env, dir, &applied)?;
        rebuild.run(&applied)?;
        rebuild.into_store(env, dir, options, applied)
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

fn first_applied(options: &ShardOptions) -> Applied {
    Applied {
        index: LogIndex(0),
        term: Term(0),
        voters: options.voters.clone(),
        learners: Vec::new(),
        epoch: options.epoch,
        slots: options.slots,
        log_time: UnixMillis(0),
        trimmed_before: UnixMillis(0),
    }
}

impl Rebuild {
    /// Reads the kinds that memory needs, slot by slot, jumping over the other kinds and over empty slots.
    fn run(&mut self, applied: &Applied) -> Result<(), ShardStoreError> {
        let (db, keys) = (self.db.clone(), self.db.keys);
        let end = keys.slot_start(applied.slots.end);
        let mut next = Some(applied.slots.start);
        while let Some(from) = next.take().filter(|slot| *slot < applied.slots.end) {
            let mut current = from;
            db.scan(&keys.slot_start(from), &end, |key, value| {
                let slot = slot_of(key).expect("a key of this shard has a slot");
                if slot != current {
                    current = slot;
                    self.end_slot();
                    self.progress.at(Slot(slot), self.report.records);
                }
                if kind_of(key).is_some_and(|kind| kind > Kind::LAST_IN_MEMORY) {
                    next = Some(slot + 1);
                    return Ok(false);
                }
                self.record(key, value)?;
                Ok(true)
            })?;
            self.end_slot();
        }
        self.report.posts = u64::from(self.memory.columns.live());
        self.report.records_time = self.progress.lap();
        Ok(())
    }

    fn record(&mut self, key: &[u8], value: &[u8]) -> Result<(), ShardStoreError> {
        self.report.records += 1;
        let user = UserId(number(key, 0));
        let post = PostKey {
            author: user,
            post: PostId(number(key, 8)),
        };
        match kind_of(key) {
            Some(kind) if kind == Kind::PostState as u8 => {
                let state: PostState = self.db.decode(key, value)?;
                self.expiry.push(state.expires_by(), post);
                if state.deleted.is_some() {
                    self.memory.delete(post);
                }
                if state.version.is_some() {
                    self.states.insert(post, state);
                }
            }
            Some(kind) if kind == Kind::Post as u8 => {
                let body: Post = self.db.decode(key, value)?;
                if let Some(state) = self.states.remove(&post) {
                    let labels = state.labels.map_or(body.labels, |(_, labels)| labels);
                    self.memory
                        .put(&PostColumns::new(&body, labels, state.heat, state.counters));
                }
            }
            Some(kind) if kind == Kind::User as u8 => {
                let state: UserState = self.db.decode(key, value)?;
                self.memory.set_followers(user, state.followers);
                if state.known {
                    self.memory.add_user();
                    self.report.users += 1;
                }
            }
            Some(kind) if kind == Kind::PendingRow as u8 => self.pending.push((post, self.db.decode(key, value)?)),
            Some(kind) if kind == Kind::Outbox as u8 => {
                self.memory.outbox.add(Slot(slot_of(key).unwrap_or(0)), 1);
            }
            _ => {}
        }
        Ok(())
    }

    fn end_slot(&mut self) {
        self.states.clear();
    }

    fn into_store(
        mut self,
        env: &Env,
        dir: &Path,
        options: ShardOptions,
        applied: Applied,
    ) -> Result<(ShardStore, OpenReport), ShardStoreError> {
        let (memory, content) = (&self.memory, options.content.clone());
        // A row that is ahead of the key-value store is dropped too: its entry will be applied again.
        let live = |meta: &RowMeta| {
            let table = memory.columns.table();
            let key = PostKey {
                author: meta.author,
                post: meta.post,
            };
            let row = memory.ids.live(key).and_then(|ordinal| table.live(ordinal));
            row.is_some_and(|row| row.version() == meta.version && RowTag::of(&row.load()).0 == meta.tag)
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
        let view = ShardView {
            db: self.db,
            memory: self.memory,
            reader: partition.reader(),
            content,
            options,
            published: ArcSwap::from_pointee(applied.clone()),
            oldest_due_ms: AtomicU64::new(self.expiry.first_ms()),
            trim_behind: AtomicBool::new(false),
            upkeep_bytes: AtomicU64::new(self.expiry.bytes()),
        };
        let store = ShardStore {
            view: Arc::new(view),
            partition,
            applied,
            expiry: self.expiry,
            pending,
        };
        Ok((store, self.report))
    }
}

#[cfg(test)]
#[path = "open_test.rs"]
mod tests;
