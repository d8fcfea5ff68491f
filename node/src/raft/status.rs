//! What a group shows of itself.

use std::sync::Arc;

use covey_env::Monotonic;
use covey_shared::ids::{LogIndex, NodeId, ReplicaId, Term};
use covey_shared::members::ShardDescriptor;
use covey_shared::wire::ReplicaRole;

/// What others may know of a group.
#[derive(Clone, Debug)]
pub struct GroupStatus {
    /// This replica.
    pub replica: ReplicaId,
    /// The shard, as committed here.
    pub descriptor: Arc<ShardDescriptor>,
    /// The entry by which the members became what they are, or a later one.
    pub conf_index: LogIndex,
    /// Role of this replica.
    pub role: ReplicaRole,
    /// Node of the leader, if known.
    pub leader: Option<NodeId>,
    /// Term.
    pub term: Term,
    /// First index still in the log.
    pub first: LogIndex,
    /// Last index of the log.
    pub last: LogIndex,
    /// Committed index as known here.
    pub committed: LogIndex,
    /// Applied index.
    pub applied: LogIndex,
    /// Its store is damaged and waits for a snapshot: it cannot be read.
    pub frozen: bool,
    /// Bytes of the log in memory.
    pub log_bytes: u64,
    /// The replica's state is at least as new as this moment; `None` = unknown since start or the last change of role.
    pub fresh_as_of: Option<Monotonic>,
}
