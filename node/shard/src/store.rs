//! The writing side of a replica: one thread applies, checkpoints and looks after the outbox.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use covey_embeddings::{DamagedRow, Partition, Repaired};
use covey_shared::command::ItemResult;
use covey_shared::ids::{LogIndex, PostKey, Version};
use covey_shared::model::F16Vector;
use half::f16;

use crate::applied::{Applied, EntryToApply};
use crate::apply::{Change, Group, Txn};
use crate::checkpoint::{ShardCheckpoint, WrittenCheckpoint};
use crate::error::ShardStoreError;
use crate::expiry::Expiry;
use crate::keys::Kind;
use crate::memory::sizes::tree_bytes;
use crate::read::ShardView;

/// State of one shard replica. The only writer; reads go through [`ShardStore::view`].
pub struct ShardStore {
    pub(crate) view: Arc<ShardView>,
    pub(crate) partition: Partition,
    pub(crate) applied: Applied,
    pub(crate) expiry: Expiry,
    /// Vectors that no checkpoint has made durable.
    pub(crate) pending: BTreeMap<PostKey, Version>,
}

/// Why no more proposals should be accepted for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressure {
    /// Too many vectors are not yet sealed: building indexes does not keep up.
    UnsealedRows,
    /// Posts and vectors have used up their memory.
    Memory,
    /// Too many effects wait for other shards.
    Outbox,
}

/// Figures of a replica.
#[derive(Clone, Debug, PartialEq)]
pub struct ShardStats {
    /// Live posts.
    pub posts: u64,
    /// Known users.
    pub users: u64,
    /// Effects that wait for other shards.
    pub outbox: u64,
    /// What it takes in memory, part by part.
    pub memory: Vec<PartMemory>,
    /// Of the partition of content vectors.
    pub content: covey_embeddings::PartitionStatus,
}

/// What one part of a replica takes in memory, from the sizes of its allocations. What the allocator adds to each is not in
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartMemory {
    /// Name of the part.
    pub part: &'static str,
    /// Bytes on the heap.
    pub heap_bytes: u64,
    /// Bytes of mapped files, whether or not their pages are in memory.
    pub mapped_bytes: u64,
}

impl ShardStore {
    /// What has been applied.
    pub fn applied(&self) -> &Applied {
        &self.applied
    }

    /// The reading side.
    pub fn view(&self) -> Arc<ShardView> {
        Arc::clone(&self.view)
    }

    /// Applies committed entries, in order, as one batch; returns the results of each entry's items. Entries that were
    /// applied before are skipped, with no results. Reads see all of it when this returns; it is durable only after a
    /// `persist` of the key-value store.
    ///
    /// # Errors
    /// A gap between entries, or a failed store. The replica must then be dropped and opened again.
    pub fn apply(&mut self, entries: &[EntryToApply]) -> Result<Vec<Vec<ItemResult>>, ShardStoreError> {
        let view = Arc::clone(&self.view);
        let mut group = Group {
            txn: Txn::new(&view.db),
            keys: view.db.keys,
            options: &view.options,
            content: &view.content,
            applied: self.applied.clone(),
            expiry: &mut self.expiry,
            changes: Vec::new(),
            metadata: view.metadata.load_full(),
        };
        let results = entries
            .iter()
            .map(|entry| group.entry(entry))
            .collect::<Result<Vec<_>, _>>()?;
        if group.applied == self.applied {
            return Ok(results);
        }
        group.txn.put(view.db.keys.applied(), group.applied.encode()?);
        let Group {
            txn,
            applied,
            changes,
            metadata,
            ..
        } = group;
        view.db.commit(txn.into_changes())?;
        for change in changes {
            self.track_pending(&change);
            change.run(&view.memory, &mut self.partition);
        }
        self.applied = applied;
        view.oldest_due_ms.store(self.expiry.first_ms(), Ordering::Relaxed);
        view.trim_behind.store(self.expiry.behind, Ordering::Relaxed);
        self.publish_upkeep();
        view.metadata.store(metadata);
        view.published.store(Arc::new(self.applied.clone()));
        Ok(results)
    }

    fn publish_upkeep(&self) {
        let pending = tree_bytes::<(PostKey, Version)>(self.pending.len()) as u64;
        let bytes = self.expiry.bytes() + pending;
        self.view.upkeep_bytes.store(bytes, Ordering::Relaxed);
    }

    fn track_pending(&mut self, change: &Change) {
        match change {
            Change::Vector(meta, _) => {
                self.pending.insert(
                    PostKey {
                        author: meta.author,
                        post: meta.post,
                    },
                    meta.version,
                );
            }
            Change::NoVector(key) | Change::Deleted(key) | Change::Expired(key) => {
                self.pending.remove(key);
            }
            _ => {}
        }
    }

    /// Begins a checkpoint: cheap. [`ShardCheckpoint::run`] then writes and syncs the vectors, on any thread.
    pub fn begin_checkpoint(&self) -> ShardCheckpoint {
        let pending = self.pending.iter().map(|(key, version)| (*key, *version)).collect();
        let generation = self.view.db.keys.generation;
        ShardCheckpoint::new(generation, self.partition.begin_checkpoint(), pending)
    }

    /// Forgets the copies of the vectors that are durable now. Once the caller has then called `persist` of the key-value
    /// store (once for all shards of the node), everything up to the returned index is durable and the log may be cut
    /// behind it.
    ///
    /// # Errors
    /// A failed store.
    pub fn finish_checkpoint(&mut self, written: WrittenCheckpoint) -> Result<LogIndex, ShardStoreError> {
        let mut done = Vec::new();
        // A snapshot may have taken the place of the store that began it: then these rows are in files of that one.
        let mine = written.generation == self.view.db.keys.generation;
        for (key, version) in written.rows.into_iter().filter(|_| mine) {
            if self.pending.get(&key) == Some(&version) {
                self.pending.remove(&key);
                done.push((self.view.db.keys.of_post(Kind::PendingRow, key), None));
            }
        }
        if !done.is_empty() {
            self.view.db.commit(done.into_iter())?;
            self.publish_upkeep();
        }
        Ok(self.applied.index)
    }

    /// A whole checkpoint on this thread; see [`ShardStore::finish_checkpoint`] for what the caller does next.
    ///
    /// # Errors
    /// A failed disk or store.
    pub fn checkpoint(&mut self) -> Result<LogIndex, ShardStoreError> {
        let written = self.begin_checkpoint().run()?;
        self.finish_checkpoint(written)
    }

    /// Puts a peer's copy of a vector, as [`ShardView::rows_of`] gives it, in the place of a damaged row; see
    /// [`Partition::repair`].
    pub fn repair(&mut self, damaged: &DamagedRow, copy: &F16Vector) -> Repaired {
        let elements = copy.0.as_chunks::<2>().0.iter();
        let row: Vec<f16> = elements.map(|bytes| f16::from_le_bytes(*bytes)).collect();
        self.partition.repair(damaged, &row)
    }

    /// Whether proposals should be refused, and why; see [`ShardView::pressure`].
    pub fn pressure(&self) -> Option<Pressure> {
        self.view.pressure()
    }

    /// Figures for status and metrics; see [`ShardView::stats`].
    pub fn stats(&self) -> ShardStats {
        self.view.stats()
    }

    /// For the thread that seals, builds and merges the content partition.
    pub fn maintainer(&self) -> covey_embeddings::Maintainer {
        self.partition.maintainer()
    }
}

#[cfg(test)]
#[path = "replay_test.rs"]
mod tests;

#[cfg(test)]
#[path = "concurrent_test.rs"]
mod concurrent_tests;
