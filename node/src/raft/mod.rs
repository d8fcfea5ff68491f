//! Consensus: all Raft groups of this node behind one actor.
//!
//! The life of a write: [`actor`] takes a proposal → [`engine`] steps the library → the log writer appends and syncs →
//! the library commits → an apply worker changes the store → the actor answers. [`group`] is one group, pure;
//! [`log_view`] is its log as the library reads it; [`convert`] is the seam to the wire.

pub mod actor;
mod arrivals;
pub(crate) mod asks;
mod backlog;
mod convert;
mod election;
mod engine;
#[cfg(test)]
mod engines;
#[cfg(test)]
mod fixture;
mod flight;
mod freshness;
mod group;
mod group_start;
mod hosting;
mod log_room;
mod log_view;
mod membership;
mod proposals;
mod read_index;
mod rebuild;
mod recovery;
mod restore;
mod slog_bridge;
mod status;
mod transfer;
mod well_formed;

use covey_shared::command::ItemResult;
use covey_shared::ids::{NodeId, ReplicaId, ShardId};
use covey_shared::wire::RaftMessage;
use covey_store::log::{GroupId, HardState, LogEntry, LogPosition};

pub use engine::Engine;
pub use group_start::GroupStart;
pub use proposals::Ticket;
pub use restore::{Fetched, Restore};
pub use status::GroupStatus;
pub use transfer::HandTo;

/// Bounds of one group. The configuration gives their reasons.
#[derive(Clone, Copy, Debug)]
pub struct RaftLimits {
    /// Shortest election timeout; the longest is twice as long.
    pub election_ticks: usize,
    /// Ticks between heartbeats.
    pub heartbeat_ticks: usize,
    /// Entries of one append message, by size.
    pub max_size_per_msg: u64,
    /// Append messages on the way to one follower.
    pub max_inflight_msgs: usize,
    /// Uncommitted proposals of one group, by size.
    pub max_uncommitted_bytes: u64,
    /// Committed entries that wait for the store, by size.
    pub apply_backlog_bytes: u64,
    /// One batch for the store, by size.
    pub apply_batch_bytes: u64,
    /// Entries kept although every member has them.
    pub keep_entries: u64,
    /// Entries kept for members that are away, by size.
    pub max_lag_bytes: u64,
    /// Entries gathered before a compaction is worth a record.
    pub compact_step: u64,
}

/// What one group wants on disk.
#[derive(Clone, Debug)]
pub struct AppendTask {
    /// The shard.
    pub shard: ShardId,
    /// Its group in the log: one per replica that ever was.
    pub group: GroupId,
    /// Number of the ready to report back; 0 = none.
    pub ready: u64,
    /// The group is new and begins here.
    pub create: Option<LogPosition>,
    /// A snapshot replaces everything: the log begins anew here.
    pub reset: Option<LogPosition>,
    /// Entries to append.
    pub entries: Vec<LogEntry>,
    /// Term, vote, commit.
    pub hard_state: Option<HardState>,
    /// New compaction point.
    pub compacted: Option<LogPosition>,
    /// The replica is gone, for ever.
    pub tombstone: bool,
    /// A commit index alone may be lost in a crash; everything else may not.
    pub must_sync: bool,
}

impl AppendTask {
    /// Nothing yet.
    pub(crate) fn of(me: ReplicaId) -> AppendTask {
        AppendTask {
            shard: me.shard(),
            group: GroupId(me.0),
            ready: 0,
            create: None,
            reset: None,
            entries: Vec::new(),
            hard_state: None,
            compacted: None,
            tombstone: false,
            must_sync: false,
        }
    }
}

/// Committed entries for the store of one shard, in order.
#[derive(Clone, Debug)]
pub struct ApplyTask {
    /// The shard.
    pub shard: ShardId,
    /// The entries.
    pub entries: Vec<LogEntry>,
}

/// What the store did with an [`ApplyTask`].
#[derive(Debug)]
pub struct AppliedTask {
    /// The shard.
    pub shard: ShardId,
    /// Applied up to here.
    pub index: u64,
    /// Index, term and results of each entry.
    pub results: Vec<(u64, u64, Vec<ItemResult>)>,
}

/// Everything that a turn of the engine wants from the outside, in the order in which it must happen per group.
#[derive(Debug, Default)]
pub struct Effects {
    /// Messages to other nodes, in FIFO order per node.
    pub send: Vec<(NodeId, RaftMessage)>,
    /// One batch for the log.
    pub append: Vec<AppendTask>,
    /// Work for the stores.
    pub apply: Vec<ApplyTask>,
    /// Shards whose fetched snapshot, at this index, becomes the store, after what is being applied.
    pub install: Vec<(ShardId, u64)>,
    /// Shards whose damaged store waits for a snapshot, which must hold at least this index.
    pub damaged: Vec<(ShardId, u64)>,
    /// Replicas of this node that are not here, but whose leader sends them its log, and where it is.
    pub strangers: Vec<(ReplicaId, NodeId)>,
}
