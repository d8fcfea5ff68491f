//! Reads of a replica, from any thread, at any time. None waits for apply longer than one step under one small lock.

mod authors;
mod candidate;
mod filter;
mod hash;
mod in_network;
mod integrity;
mod lists;
mod metadata;
mod outbox;
mod posts;
mod search;
mod stats;
mod texts;
mod verdicts;
mod viewer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::ArcSwap;
use covey_embeddings::{Reader, SpaceSpec};
use covey_metadata::Metadata;
use covey_shared::ids::{LogIndex, PostKey, ShardEpoch, UnixMillis};
use covey_shared::slots::{Slot, SlotRange};

pub use hash::RecordsAt;

use crate::applied::Applied;
use crate::db::Db;
use crate::memory::{Memory, PostColumns};
use crate::options::ShardOptions;

/// Longest list in a query, except where a lower limit is given.
const MAX_LIST: usize = 10_000;
/// Most keys of a verdict or authors query.
const MAX_KEYS: usize = 4096;
/// Most results of one shard to one query.
const MAX_RESULTS: usize = 10_000;

/// An answer, and what it cost.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Read<T> {
    /// The answer.
    pub value: T,
    /// Rows or entries that were looked at.
    pub visited: u64,
    /// It was cancelled, and this is what it had.
    pub partial: bool,
    /// Rows that were left out because they are damaged, and pages of rows that the disk cannot read.
    pub damaged: u32,
}

impl<T> Read<T> {
    fn complete(value: T, visited: u64) -> Self {
        Read {
            value,
            visited,
            partial: false,
            damaged: 0,
        }
    }
}

/// The reading side of a replica. Reads see each applied entry at once; take [`ShardView::applied_index`] *before* a read to
/// say what it saw at least.
pub struct ShardView {
    pub(crate) db: Db,
    pub(crate) memory: Memory,
    pub(crate) reader: Reader,
    pub(crate) content: SpaceSpec,
    pub(crate) options: ShardOptions,
    pub(crate) published: ArcSwap<Applied>,
    /// Published before the index of the entry that made it so.
    pub(crate) metadata: ArcSwap<Metadata>,
    /// [`crate::expiry::Expiry::first_ms`] as of the last applied entry.
    pub(crate) oldest_due_ms: AtomicU64,
    /// [`crate::expiry::Expiry::behind`] as of the last applied entry.
    pub(crate) trim_behind: AtomicBool,
    /// Bytes of what only the writer looks at: expiry and pending vectors.
    pub(crate) upkeep_bytes: AtomicU64,
}

impl ShardView {
    /// What has been applied; all reads that start later see it.
    pub fn applied(&self) -> Arc<Applied> {
        self.published.load_full()
    }

    /// Last applied entry.
    pub fn applied_index(&self) -> LogIndex {
        self.published.load().index
    }

    /// When the first record runs out, roughly: a trim that reaches less far drops nothing. `None` if there is nothing to
    /// drop.
    pub fn oldest_due(&self) -> Option<UnixMillis> {
        let first = self.oldest_due_ms.load(Ordering::Relaxed);
        (first < u64::MAX).then_some(UnixMillis(first))
    }

    /// Whether the last trim removed as many records as one may, so that another one to the same moment is worth while.
    pub fn trim_behind(&self) -> bool {
        self.trim_behind.load(Ordering::Relaxed)
    }

    /// Epoch of the shard.
    pub fn epoch(&self) -> ShardEpoch {
        self.published.load().epoch
    }

    /// Slots that the shard owns: what coverage is proven from.
    pub fn slots(&self) -> SlotRange {
        self.published.load().slots
    }

    fn trimmed_before(&self) -> UnixMillis {
        self.published.load().trimmed_before
    }

    /// The columns of a post that lives and is not hidden by a trim.
    fn columns(&self, key: PostKey) -> Option<PostColumns> {
        self.memory
            .latest(key)
            .filter(|columns| columns.created_at >= self.trimmed_before())
    }

    /// The keys of this shard among `keys`; an author of 0 is looked up.
    fn own_keys(&self, keys: &[PostKey]) -> Vec<PostKey> {
        let slots = self.slots();
        let mut own = Vec::with_capacity(keys.len());
        for key in keys {
            if key.author.0 == 0 {
                own.extend(self.memory.ids.by_post(key.post));
            } else if slots.contains(Slot::of(key.author)) {
                own.push(*key);
            }
        }
        own
    }
}

impl std::fmt::Debug for ShardView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShardView")
            .field("shard", &self.db.keys.shard)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "read_test.rs"]
mod tests;
