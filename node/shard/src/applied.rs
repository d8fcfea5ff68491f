//! What a replica has applied, and what it is given to apply.

use bincode::{Decode, Encode};
use covey_shared::command::Proposal;
use covey_shared::ids::{LogIndex, ShardEpoch, Term, UnixMillis};
use covey_shared::slots::SlotRange;

/// The durable record of a replica, written in the same batch as the effects of the entry at `index`. Nothing else
/// says what was applied.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Applied {
    /// Last applied entry.
    pub index: LogIndex,
    /// Its term.
    pub term: Term,
    /// Raft ids of the voters, as of `index`.
    pub voters: Vec<u64>,
    /// Raft ids of the learners, as of `index`.
    pub learners: Vec<u64>,
    /// Epoch of the shard.
    pub epoch: ShardEpoch,
    /// Slots that the shard owns.
    pub slots: SlotRange,
    /// Log time: the highest that an entry carried. The only clock of apply.
    pub log_time: UnixMillis,
    /// Posts created before this are gone, even where their records are not yet removed.
    pub trimmed_before: UnixMillis,
}

/// One committed entry.
#[derive(Clone, Debug)]
pub struct EntryToApply {
    /// Position in the log. Entries up to the applied index are skipped and yield no results.
    pub index: LogIndex,
    /// Its term.
    pub term: Term,
    /// What it holds.
    pub payload: Payload,
}

/// Content of a committed entry.
#[derive(Clone, Debug)]
pub enum Payload {
    /// Nothing: a new leader's first entry.
    Empty,
    /// A change of the shard's state.
    Command(Proposal),
    /// The members change. The caller has already let Raft compute the new configuration.
    ConfState {
        /// Raft ids of the voters from now on.
        voters: Vec<u64>,
        /// Raft ids of the learners from now on.
        learners: Vec<u64>,
        /// The shard's epoch from now on.
        epoch: ShardEpoch,
    },
}
