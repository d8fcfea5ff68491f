//! The parts of a read that are of one shard: which state of it is wanted, and what it says.

use bincode::{Decode, Encode};

use crate::ids::{LogIndex, ShardEpoch, ShardId};
use crate::slots::SlotRange;
use crate::wire::errors::ShardError;

/// Which replica state a caller accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ShardRead {
    /// The shard.
    pub shard: ShardId,
    /// Range version in the caller's map.
    pub range_ver: u64,
    /// The replica answers once it has applied this (session token).
    pub min_index: LogIndex,
    /// A replica that may be older than this, in milliseconds, refuses. `None` = any age will do.
    pub max_age_ms: Option<u32>,
}

impl ShardRead {
    /// Of whatever state the replica has.
    pub fn of(shard: ShardId, range_ver: u64) -> ShardRead {
        ShardRead {
            shard,
            range_ver,
            min_index: LogIndex(0),
            max_age_ms: None,
        }
    }
}

/// What a shard says about itself and the work on its answer.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
pub struct About {
    /// The shard.
    pub shard: ShardId,
    /// Its epoch.
    pub epoch: ShardEpoch,
    /// The slots that were searched: what coverage is proven from.
    pub slots: SlotRange,
    /// What the replica had applied.
    pub applied: LogIndex,
    /// How far it may lag behind its leader, in milliseconds.
    pub staleness_ms: u32,
    /// It ran out of time and returns what it has.
    pub partial: bool,
    /// Rows or entries that were looked at.
    pub visited: u64,
    /// Time the work waited for a permit or thread, in microseconds.
    pub queue_us: u32,
    /// Time the work took, in microseconds.
    pub work_us: u32,
}

/// One shard's part of a reply.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct ShardReply<T> {
    /// Who answers, and how.
    pub about: About,
    /// The answer.
    pub result: Result<T, ShardError>,
    /// Rows that were left out because they are damaged, and pages of rows that the disk cannot read. Other replicas have
    /// them.
    pub damaged: u32,
}

impl<T> ShardReply<T> {
    /// The same reply with another answer.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> ShardReply<U> {
        ShardReply {
            about: self.about,
            result: self.result.map(f),
            damaged: self.damaged,
        }
    }
}

#[cfg(test)]
#[path = "shard_test.rs"]
mod tests;
