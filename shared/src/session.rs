//! Session token: what a client has already seen, so that no later read goes back behind it.

use bincode::{Decode, Encode};

use crate::ids::{LogIndex, ShardId};

/// Most shards that a token names; beyond that the oldest knowledge is dropped.
pub const MAX_SHARDS: usize = 1024;

/// One shard's part of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Seen {
    /// The shard.
    pub shard: ShardId,
    /// Its range version; a descendant created at a higher one satisfies the token.
    pub range_ver: u64,
    /// A replica answers once it has applied this.
    pub index: LogIndex,
}

/// Opaque to clients; they send back what the last reply carried.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct SessionToken {
    seen: Vec<Seen>,
}

impl SessionToken {
    /// Takes in that `shard` was seen at `index`; never goes back.
    pub fn observe(&mut self, new: Seen) {
        match self.seen.binary_search_by_key(&new.shard, |s| s.shard) {
            Ok(i) => {
                let old = &mut self.seen[i];
                if (new.range_ver, new.index) > (old.range_ver, old.index) {
                    *old = new;
                }
            }
            Err(i) if self.seen.len() < MAX_SHARDS => self.seen.insert(i, new),
            Err(_) => {}
        }
    }

    /// The index that a replica of `shard` must have applied; 0 when the token says nothing of it.
    pub fn min_index(&self, shard: ShardId) -> LogIndex {
        match self.seen.binary_search_by_key(&shard, |s| s.shard) {
            Ok(i) => self.seen[i].index,
            Err(_) => LogIndex(0),
        }
    }

    /// Takes in everything that `other` has seen.
    pub fn merge(&mut self, other: &SessionToken) {
        for seen in &other.seen {
            self.observe(*seen);
        }
    }

    /// Whether the token says nothing.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }
}

#[cfg(test)]
#[path = "session_test.rs"]
mod tests;
