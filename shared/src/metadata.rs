//! The metadata of a cluster: which nodes there are, where the shards are, and what operators want done.
//!
//! It is the state of one more shard, [`ShardId::METADATA`], which owns no slots: its log, snapshots and members are those of any
//! shard. What a shard's own members say of it is always right; the metadata only keeps the newest of it.

mod fault;
mod views;

use bincode::{Decode, Encode};
use serde::Serialize;

use crate::ids::{LogIndex, NodeId, OperationId, ShardId, UnixMillis};
use crate::members::ShardDescriptor;
use crate::settings::SettingChanges;

pub use fault::OperationFault;
pub use views::{ClusterView, NodeReports, NodeView, OperationProgress, OperationView, ShardView};

/// Version of an encoded state of the metadata, and of an audit record.
pub const METADATA_VERSION: u16 = 2;
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
    /// Nodes as the configuration has them. One that is known already stays as it is.
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
    /// A node belongs to the cluster, and is to be found there.
    Join {
        /// The node.
        place: NodePlace,
        /// Who says so: the node itself, or whoever announces it.
        by: String,
    },
    /// A node without replicas does not belong to the cluster any more. Its id is never given again.
    Remove {
        /// The node.
        node: NodeId,
        /// Who wants that.
        by: String,
    },
    /// Other values of settings.
    Set {
        /// Version of the settings that it was decided on: what others have set meanwhile may not go with it.
        on: LogIndex,
        /// New values, at least one.
        changes: SettingChanges,
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

/// A node and where it is to be found.
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
    /// Where it is.
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
