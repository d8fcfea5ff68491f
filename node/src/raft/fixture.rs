//! What the tests of groups share.

use covey_shared::ids::{LogIndex, NodeId, ReplicaId, ShardId};
use covey_shared::layout::{FIRST_EPOCH, Layout};
use covey_shared::members::ShardDescriptor;
use covey_shared::wire::{RaftMessage, RaftMessageKind, Sent};
use covey_store::log::HardState;

use super::{GroupStart, RaftLimits};

pub(super) const SHARD: ShardId = ShardId(1);

pub(super) fn limits() -> RaftLimits {
    RaftLimits {
        election_ticks: 10,
        heartbeat_ticks: 2,
        max_size_per_msg: 1 << 17,
        max_inflight_msgs: 64,
        max_uncommitted_bytes: 1 << 20,
        apply_backlog_bytes: 1 << 20,
        apply_batch_bytes: 1 << 16,
        keep_entries: 4,
        max_lag_bytes: 1 << 20,
        compact_step: 4,
    }
}

/// How many nodes have a replica of it at first: 1 to this.
pub(super) const FOUNDERS: usize = 3;

/// The shard as it was founded.
pub(super) fn founding() -> ShardDescriptor {
    let nodes: Vec<NodeId> = (1..=FOUNDERS as u64).map(NodeId).collect();
    ShardDescriptor::founding(&Layout::fixed(1, FOUNDERS, &nodes).shards[0])
}

/// Its founding replica on a node.
pub(super) fn replica(node: u64) -> ReplicaId {
    ReplicaId::new(0, SHARD, NodeId(node))
}

impl GroupStart {
    /// Of a founding replica at its very first start.
    pub(super) fn fresh() -> GroupStart {
        GroupStart::new(founding(), HardState::default())
    }
}

/// A message of the shard that says nothing but what it is.
pub(super) fn message(kind: RaftMessageKind, from: ReplicaId, to: ReplicaId) -> RaftMessage {
    RaftMessage {
        shard: SHARD,
        epoch: FIRST_EPOCH,
        from,
        to,
        kind,
        term: 0,
        log_term: 0,
        index: 0,
        entries: vec![],
        commit: 0,
        commit_term: 0,
        reject: false,
        reject_hint: 0,
        context: vec![],
        priority: 0,
        leader_commit: 0,
        all_matched: LogIndex(0),
        unfit: false,
        sent: Sent::default(),
    }
}
