//! Errors that cross the wire.

use bincode::{Decode, Encode};
use serde::Serialize;
use thiserror::Error;

use crate::ids::{NodeId, ShardEpoch, ShardId};
use crate::members::MembersError;

/// Why one shard of a call has no answer. Others of the same call may have one.
#[derive(Clone, Debug, PartialEq, Eq, Error, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ShardError {
    /// This node has no replica of the shard.
    #[error("shard {0} has no replica here")]
    NotHere(ShardId),
    /// The replica does not lead; the hint names who probably does.
    #[error("not the leader of the shard")]
    NotLeader {
        /// Node of the leader, if known.
        hint: Option<NodeId>,
    },
    /// The caller's map is older than the shard.
    #[error("the shard has a newer epoch")]
    StaleEpoch {
        /// The shard's epoch.
        current: ShardEpoch,
    },
    /// The replica has not yet applied what the caller has seen, or is still starting.
    #[error("the replica is not ready: {0}")]
    NotReady(NotReady),
    /// Too much work; retry after the hint.
    #[error("overloaded, retry after {retry_after_ms} ms")]
    Overloaded {
        /// Milliseconds to wait before a retry.
        retry_after_ms: u32,
    },
    /// The deadline passed before the work was done.
    #[error("the deadline passed")]
    DeadlineExceeded,
    /// Proposed, but leadership changed before the outcome was known: retry, the items are idempotent.
    #[error("leadership changed before the outcome was known")]
    Uncertain,
    /// The request does not fit (wrong dimension, unknown space …).
    #[error("invalid request: {0}")]
    Invalid(InvalidRequest),
    /// A read of the local store failed; other replicas may have an answer.
    #[error("the store of the replica failed")]
    Store,
    /// Leadership stays where it is.
    #[error("the leadership was not handed over: {0}")]
    Transfer(TransferFault),
    /// The members stay as they are.
    #[error("the members of the shard do not change: {0}")]
    Members(MembersError),
}

/// Why another member does not lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferFault {
    /// It has no vote in the group.
    #[error("node {0} has no vote in this shard")]
    NotAVoter(NodeId),
    /// It lacks too much: writes would wait for it.
    #[error("that replica is {entries} entries behind")]
    Behind {
        /// How many.
        entries: u64,
    },
    /// It was offered, and not taken in time: the node is away, its disk is nearly full, or its replica is being rebuilt.
    #[error("that node does not take it: it is away, or has reasons not to lead, see `covey status`")]
    Declined,
}

/// Why a replica cannot answer yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotReady {
    /// Still replaying its log.
    #[error("starting")]
    Starting,
    /// Behind the session token.
    #[error("behind the session token")]
    Behind,
    /// Older than the allowed staleness.
    #[error("staler than allowed")]
    Stale,
    /// What it held is damaged; a snapshot will take its place.
    #[error("being rebuilt from a snapshot")]
    Rebuilding,
}

/// Why a request is refused for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InvalidRequest {
    /// No such vector space.
    #[error("unknown vector space")]
    UnknownSpace,
    /// Vectors of another model epoch.
    #[error("another model epoch")]
    WrongModelEpoch,
    /// The query vector has another dimension than the space.
    #[error("wrong dimension")]
    WrongDimension,
    /// NaN, infinity or zero length.
    #[error("bad vector")]
    BadVector,
    /// A list or number beyond its limit.
    #[error("a list or number is beyond its limit")]
    TooLarge,
    /// The proposal is larger than an entry may be.
    #[error("the write is too large for one entry")]
    EntryTooLarge,
    /// Only the leader of the metadata writes that, by itself.
    #[error("only the leader of the metadata itself writes that")]
    NotYours,
}

/// Why a whole call has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error, Encode, Decode)]
pub enum WireError {
    /// The peer belongs to another cluster.
    #[error("the peer belongs to another cluster")]
    WrongCluster,
    /// The peer speaks a newer protocol, or one that is too old.
    #[error("protocol version {found} is not supported; this process speaks {newest}")]
    Version {
        /// Version in the message.
        found: u16,
        /// Newest version known here.
        newest: u16,
    },
    /// The bytes do not decode.
    #[error("malformed message")]
    Malformed,
    /// Permits of the class are used up.
    #[error("overloaded, retry after {retry_after_ms} ms")]
    Overloaded {
        /// Milliseconds to wait before a retry.
        retry_after_ms: u32,
    },
    /// The deadline passed before the work was done.
    #[error("the deadline passed")]
    DeadlineExceeded,
    /// The process is shutting down.
    #[error("shutting down")]
    ShuttingDown,
}
