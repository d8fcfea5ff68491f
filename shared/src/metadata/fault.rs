//! Why something that an operator asks for is refused.

use bincode::{Decode, Encode};
use serde::Serialize;
use thiserror::Error;

use crate::ids::{LogIndex, NodeId, OperationId, ShardId};

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
    /// It belonged to the cluster once.
    #[error(
        "node {0} was removed from the cluster; a machine that comes back needs another id and an empty data directory"
    )]
    Removed(NodeId),
    /// Something is on it, or may come to it.
    #[error("node {node} has {replicas} replicas; `covey node drain {node}` empties it")]
    NotEmpty {
        /// The node.
        node: NodeId,
        /// Replicas that it has.
        replicas: u64,
    },
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
    /// Somebody else has set something meanwhile.
    #[error("the settings have changed meanwhile: they are of version {0} now; look at them, and ask again")]
    SettingsChanged(LogIndex),
}
