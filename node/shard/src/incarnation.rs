//! Which generation of its keys and files a replica uses. A snapshot is installed into a new one beside the old, and one
//! record makes the switch.

use std::path::{Path, PathBuf};

use bincode::{Decode, Encode};
use covey_shared::codec::{decode_versioned, encode_versioned};
use covey_shared::ids::{Generation, ShardId};
use covey_store::kv::{KvBatch, KvStore};

use crate::db::Db;
use crate::error::ShardStoreError;
use crate::keys::{Keys, kind_name, number, prefix_end};
use crate::records::RECORD_VERSION;

/// Former incarnations that may wait to be swept.
pub const MAX_RETIRED: usize = 16;

/// What is known on this node of the incarnations of a replica. One thread at a time changes those of a shard.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Incarnation {
    /// The current one, from 1; [`Incarnation::NONE`] if this node has no replica of the shard.
    pub generation: Generation,
    /// Others, of which keys and files may still be there: former ones, and those that an install began.
    pub retired: Vec<Generation>,
    /// The replica is ahead of its log: the log has still to be reset to the applied index.
    pub log_behind: bool,
    /// The highest one that was ever picked. None is picked twice: somebody late may still write to an old one's files.
    pub newest: Generation,
}

/// Where the vectors of a generation of a replica are: `shard-0007.1`.
pub fn replica_dir(node: &Path, shard: ShardId, generation: Generation) -> PathBuf {
    node.join(format!("shard-{:04}.{}", shard.0, generation.0))
}

impl Incarnation {
    /// No generation.
    pub const NONE: Generation = Generation(0);

    /// Of a shard without a record.
    const FIRST: Incarnation = Incarnation {
        generation: Generation(1),
        retired: Vec::new(),
        log_behind: false,
        newest: Generation(1),
    };

    /// Reads it.
    ///
    /// # Errors
    /// A failed store, a damaged record.
    pub fn load(kv: &dyn KvStore, shard: ShardId) -> Result<Incarnation, ShardStoreError> {
        Ok(Incarnation::stored(kv, shard)?.unwrap_or(Incarnation::FIRST))
    }

    /// The shards that have a record and a replica, ascending. A replica that the cluster was founded with has no record before
    /// its first install.
    ///
    /// # Errors
    /// A failed store, a damaged record.
    pub fn all(kv: &dyn KvStore) -> Result<Vec<ShardId>, ShardStoreError> {
        let prefix = Keys::incarnations();
        let mut all = Vec::new();
        Db::scan_of(kv, &prefix, &prefix_end(&prefix), |key, value| {
            let shard = ShardId(number(key, 0));
            if Incarnation::decode(shard, key, value)?.generation != Incarnation::NONE {
                all.push(shard);
            }
            Ok(true)
        })?;
        Ok(all)
    }

    fn stored(kv: &dyn KvStore, shard: ShardId) -> Result<Option<Incarnation>, ShardStoreError> {
        let key = Keys::incarnation(shard);
        let value = kv.get(&key)?;
        value.map(|value| Incarnation::decode(shard, &key, &value)).transpose()
    }

    fn decode(shard: ShardId, key: &[u8], value: &[u8]) -> Result<Incarnation, ShardStoreError> {
        decode_versioned(RECORD_VERSION, value).map_err(|source| ShardStoreError::Record {
            shard,
            kind: kind_name(key),
            key: key.to_vec(),
            source,
        })
    }

    /// Picks the generation of an install and lists it as retired, so that what a crash leaves of it is known. Durable
    /// when it returns.
    ///
    /// # Errors
    /// [`ShardStoreError::Unswept`] if [`MAX_RETIRED`] wait; a failed store.
    pub fn begin(kv: &dyn KvStore, shard: ShardId) -> Result<Generation, ShardStoreError> {
        let mut known = match Incarnation::stored(kv, shard)? {
            Some(known) => known,
            None => Incarnation::unrecorded(kv, shard)?,
        };
        let retired = known.retired.len();
        if retired >= MAX_RETIRED {
            return Err(ShardStoreError::Unswept { shard, retired });
        }
        let next = known.newest.0.checked_add(1);
        let next = Generation(next.expect("a replica is installed fewer than 2^32 times"));
        known.newest = next;
        known.retired.push(next);
        known.store(kv, shard)?;
        Ok(next)
    }

    /// Where a shard comes for the first time, nothing is current before its snapshot is installed.
    fn unrecorded(kv: &dyn KvStore, shard: ShardId) -> Result<Incarnation, ShardStoreError> {
        let first = Incarnation::FIRST;
        let generation = first.generation;
        let is_there = kv.get(&Keys { generation, shard }.applied())?.is_some();
        Ok(Incarnation {
            generation: if is_there { generation } else { Incarnation::NONE },
            ..first
        })
    }

    /// Makes a generation that was begun, and is installed, the current one. Durable when it returns.
    ///
    /// # Errors
    /// A failed store.
    ///
    /// # Panics
    /// If it was not begun.
    pub fn switch(kv: &dyn KvStore, shard: ShardId, generation: Generation) -> Result<(), ShardStoreError> {
        let mut known = Incarnation::load(kv, shard)?;
        assert!(
            known.retired.contains(&generation),
            "{generation} of {shard} was not begun"
        );
        known.retired.retain(|other| *other != generation);
        known.leave();
        known.generation = generation;
        known.log_behind = true;
        known.store(kv, shard)
    }

    /// The replica is gone from this node: a sweep removes what is left of it. The record stays, so that no generation is
    /// picked again should the shard come back. Durable when it returns.
    ///
    /// # Errors
    /// A failed store.
    pub fn retire(kv: &dyn KvStore, shard: ShardId) -> Result<(), ShardStoreError> {
        let mut known = Incarnation::load(kv, shard)?;
        known.leave();
        known.log_behind = false;
        known.store(kv, shard)
    }

    fn leave(&mut self) {
        let left = std::mem::replace(&mut self.generation, Incarnation::NONE);
        if left != Incarnation::NONE {
            self.retired.push(left);
        }
    }

    /// Notes that the log begins at the applied index now. Durable when it returns.
    ///
    /// # Errors
    /// A failed store.
    pub fn log_reset(kv: &dyn KvStore, shard: ShardId) -> Result<(), ShardStoreError> {
        let mut known = Incarnation::load(kv, shard)?;
        known.log_behind = false;
        known.store(kv, shard)
    }

    pub(crate) fn store(&self, kv: &dyn KvStore, shard: ShardId) -> Result<(), ShardStoreError> {
        let record = encode_versioned(RECORD_VERSION, self).map_err(ShardStoreError::Encode)?;
        let mut batch = KvBatch::new();
        batch.put(Keys::incarnation(shard), record);
        kv.commit(&batch)?;
        Ok(kv.persist()?)
    }
}

#[cfg(test)]
#[path = "incarnation_test.rs"]
mod tests;
