//! The metadata of a cluster: which nodes there are, where the shards are, and what operators want done.
//!
//! It is the state of one more shard, [`ShardId::METADATA`], which owns no slots: its log, snapshots and members are those of any
//! shard. What a shard's own members say of it is always right; the metadata only keeps the newest of it.

use bincode::{Decode, Encode};
use serde::Serialize;
use thiserror::Error;

use crate::ids::{NodeId, OperationId, ShardId, UnixMillis};
use crate::members::ShardDescriptor;

mod views;

pub use views::{ClusterView, NodeReports, NodeView, OperationProgress, OperationView, ShardView};

/// Version of an encoded state of the metadata, and of an audit record.
pub const METADATA_VERSION: u16 = 1;
/// Longest name of who asks for something, in bytes.
pub const MAX_BY: usize = 64;
/// Longest time that a node is kept out of repairs by one [`Operation::Maintenance`], in milliseconds: a week.
pub const MAX_MAINTENANCE_MS: u64 = 7 * 24 * 3_600_000;
/// Longest time that an operation may take, in milliseconds: 30 days.
pub const MAX_LIMIT_MS: u64 = 30 * 24 * 3_600_000;

/// What an operator can ask for. Append-only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A replica goes from one node to another.
    Move {
        /// The shard.
        shard: ShardId,
        /// Node that has a replica.
        from: NodeId,
        /// Node that should have it.
        to: NodeId,
    },
    /// Another node leads a shard.
    TransferLeader {
        /// The shard.
        shard: ShardId,
        /// Node that should lead; it has a replica with a vote.
        to: NodeId,
    },
    /// All replicas leave a node, and none comes to it until it is taken back into service.
    Drain {
        /// The node.
        node: NodeId,
    },
    /// Others lead what a node leads, and nothing of it is repaired, until a time. Asked for again while it runs, it lasts until the
    /// later of both times.
    Maintenance {
        /// The node.
        node: NodeId,
        /// When it ends by itself.
        until: UnixMillis,
    },
    /// The replicas of a node that is away for good are made anew elsewhere. Asked for by the cluster itself, too.
    Repair {
        /// The node.
        node: NodeId,
    },
    /// A node that is new, or was taken back into service, gets its share of the replicas.
    Add {
        /// The node.
        node: NodeId,
    },
    /// A shard that has lost a majority of its voters for good goes on with one replica alone. What only the others had acknowledged is
    /// lost.
    UnsafeRecover {
        /// The shard.
        shard: ShardId,
        /// Node whose replica stays.
        keep: NodeId,
    },
    /// A shard gets one more replica with a vote. Asked for by the cluster itself, while a shard has fewer than it should.
    AddReplica {
        /// The shard.
        shard: ShardId,
        /// Node that should have it.
        to: NodeId,
    },
}

impl Operation {
    /// The one shard that it is about.
    pub fn shard(&self) -> Option<ShardId> {
        match self {
            Operation::Move { shard, .. }
            | Operation::TransferLeader { shard, .. }
            | Operation::UnsafeRecover { shard, .. }
            | Operation::AddReplica { shard, .. } => Some(*shard),
            Operation::Drain { .. }
            | Operation::Maintenance { .. }
            | Operation::Repair { .. }
            | Operation::Add { .. } => None,
        }
    }

    /// The one node that it is about.
    pub fn node(&self) -> Option<NodeId> {
        match self {
            Operation::Drain { node }
            | Operation::Maintenance { node, .. }
            | Operation::Repair { node }
            | Operation::Add { node } => Some(*node),
            Operation::Move { .. }
            | Operation::TransferLeader { .. }
            | Operation::UnsafeRecover { .. }
            | Operation::AddReplica { .. } => None,
        }
    }
}

/// An entry of the log of the metadata. Append-only.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MetadataChange {
    /// Nodes as the configuration has them.
    Register(Vec<NodePlace>),
    /// Shards as their members say; of each, the newest is kept.
    Observe(Vec<ShardDescriptor>),
    /// A node does not answer since then, or answers again (`None`).
    Away {
        /// The node.
        node: NodeId,
        /// Since when.
        since: Option<UnixMillis>,
    },
    /// Begin an operation.
    Start(Start),
    /// Take back of an operation what can be taken back. A node whose drain is taken back may have replicas again, even if it was
    /// drained before.
    Cancel {
        /// Which one.
        operation: OperationId,
        /// Who wants that.
        by: String,
    },
    /// An operation has come to its end.
    End {
        /// Which one.
        operation: OperationId,
        /// How.
        ending: Ending,
    },
    /// A drained node may have replicas again.
    Undrain {
        /// The node.
        node: NodeId,
        /// Who wants that.
        by: String,
    },
}

/// Begins an operation.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Start {
    /// What is wanted.
    pub what: Operation,
    /// Who wants it, for the audit log, at most [`MAX_BY`] bytes.
    pub by: String,
    /// The operation that it is a part of.
    pub parent: Option<OperationId>,
    /// How long it may take, in milliseconds, at most [`MAX_LIMIT_MS`]; it is cancelled then.
    pub limit_ms: u64,
}

/// A node as it is configured.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct NodePlace {
    /// The node.
    pub node: NodeId,
    /// Where it listens.
    pub listen: String,
    /// Its failure domain.
    pub zone: String,
}

/// A node as the metadata has it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct NodeRecord {
    /// As configured.
    pub place: NodePlace,
    /// It is to have no replicas.
    pub drained: bool,
    /// Since when it does not answer.
    pub away_since: Option<UnixMillis>,
}

/// How an operation ended. Append-only.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// As wanted.
    Done,
    /// It was taken back.
    Cancelled,
    /// It was not possible, and why.
    Failed(String),
}

/// An operation that was begun.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct OperationRecord {
    /// Its id.
    pub id: OperationId,
    /// What is wanted.
    pub what: Operation,
    /// Who wants it.
    pub by: String,
    /// The operation that it is a part of.
    pub parent: Option<OperationId>,
    /// When it began.
    pub started: UnixMillis,
    /// When it is cancelled by itself, by the clock of who leads the metadata: one that jumps ahead brings it about early.
    pub deadline: UnixMillis,
    /// It is taken back, as far as that is possible.
    pub cancelled: bool,
    /// When it ended, and how.
    pub ended: Option<(UnixMillis, Ending)>,
}

impl OperationRecord {
    /// Whether it has not come to its end.
    pub fn runs(&self) -> bool {
        self.ended.is_none()
    }
}

/// Why something that an operator asks for is refused. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq, Error, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationFault {
    /// No such node.
    #[error("there is no node {0}")]
    UnknownNode(NodeId),
    /// No such shard.
    #[error("there is no shard {0}")]
    UnknownShard(ShardId),
    /// No such operation, or it ended long ago.
    #[error("there is no operation {0}; see `covey operations --all`")]
    UnknownOperation(OperationId),
    /// Another one is about the same.
    #[error("operation {0} works on the same; wait for its end, or cancel it")]
    Conflict(OperationId),
    /// It has come to its end.
    #[error("operation {0} has ended already")]
    Ended(OperationId),
    /// There is nothing to move there.
    #[error("node {node} has no replica of shard {shard} with a vote")]
    NotAVoter {
        /// The shard.
        shard: ShardId,
        /// The node.
        node: NodeId,
    },
    /// The target has one already.
    #[error("node {node} already has a replica of shard {shard}")]
    AlreadyThere {
        /// The shard.
        shard: ShardId,
        /// The node.
        node: NodeId,
    },
    /// Its replicas are on their way out.
    #[error("node {0} is drained; `covey node undrain {0}` takes it back into service")]
    Drained(NodeId),
    /// It is no such node.
    #[error("node {0} is not drained")]
    NotDrained(NodeId),
    /// Its replicas would have nowhere to go.
    #[error("{needed} nodes have to stay for {needed} replicas of shard {shard}, and only {left} would")]
    NoRoom {
        /// A shard.
        shard: ShardId,
        /// Nodes that could have its replicas.
        left: u64,
        /// Replicas with a vote.
        needed: u64,
    },
    /// A node that answers needs no repair.
    #[error("node {0} answers; drain it instead")]
    NotAway(NodeId),
    /// A time or name that is out of bounds.
    #[error("{0}")]
    Invalid(String),
    /// Enough is going on.
    #[error("{0} operations run already")]
    TooMany(u64),
    /// What is not known of could be forgotten.
    #[error("the cluster has only just begun: not all shards are known yet")]
    NotYetKnown,
    /// It can go on without giving anything up.
    #[error(
        "{there} of the {voters} voters of shard {shard} are on nodes that answer, a majority: it needs no recovery"
    )]
    MajorityThere {
        /// The shard.
        shard: ShardId,
        /// Voters on nodes that answer.
        there: u64,
        /// All of them.
        voters: u64,
    },
    /// What should stay is not there.
    #[error("node {0} does not answer")]
    Away(NodeId),
}

/// A line of the audit log: what was asked for, by whom, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct AuditRecord {
    /// Its number: one more than that of the line before.
    pub number: u64,
    /// When.
    pub at: UnixMillis,
    /// Who.
    pub by: String,
    /// What.
    pub change: MetadataChange,
    /// The operation that it is about, or why it was refused; `None` if it is about none.
    pub outcome: Result<Option<OperationId>, OperationFault>,
}

#[cfg(test)]
#[path = "metadata_test.rs"]
mod tests;
