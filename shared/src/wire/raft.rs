//! Raft messages. Our own structs carry them, so that no protobuf is ever parsed from the network.

use bincode::{Decode, Encode};

use crate::ids::{LogIndex, ReplicaId, ShardEpoch, ShardId};

/// What travels on the one FIFO stream from a node to another: a batch of messages of any groups.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct RaftFrame {
    /// Messages in the order in which they were produced.
    pub messages: Vec<RaftMessage>,
}

/// One message of one group.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct RaftMessage {
    /// The group.
    pub shard: ShardId,
    /// Sender's epoch of the shard.
    pub epoch: ShardEpoch,
    /// Sending replica.
    pub from: ReplicaId,
    /// Receiving replica; a message for another one is dropped.
    pub to: ReplicaId,
    /// Which message.
    pub kind: RaftMessageKind,
    /// Sender's term.
    pub term: u64,
    /// Term of the entry before `entries`, or the candidate's last term.
    pub log_term: u64,
    /// Index of the entry before `entries`, or what the kind says.
    pub index: u64,
    /// Entries to append.
    pub entries: Vec<WireEntry>,
    /// Committed index as the receiver may know it.
    pub commit: u64,
    /// Term of `commit` (votes).
    pub commit_term: u64,
    /// The append or vote is refused.
    pub reject: bool,
    /// Where the refusing log and the leader's may agree.
    pub reject_hint: u64,
    /// Context (read index, campaign transfer).
    pub context: Vec<u8>,
    /// Candidate's priority.
    pub priority: i64,
    /// Sender's whole commit index when it leads: what freshness is judged by. 0 = not the leader.
    pub leader_commit: u64,
    /// Highest index that every member has on disk, as the leader knows it: entries up to it may be compacted.
    pub all_matched: LogIndex,
    /// The sender's disk is nearly full or slow: it would rather not lead.
    pub unfit: bool,
    /// What tells the receiver how old the message is.
    pub sent: Sent,
}

/// How old a message is, in terms that need no common clock: each node reads only its own stamps. The default says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Sent {
    /// Sender's clock, in microseconds from a start that only the sender knows; 0 = it does not say.
    pub at: u64,
    /// The last `at` of the receiver that the sender has seen; 0 = none.
    pub echo: u64,
    /// How long ago that was, in microseconds.
    pub held_us: u64,
    /// Of a leader that says its commit index: how long ago a majority was last known to follow it, in microseconds.
    pub confirmed_us: Option<u64>,
}

/// Kinds, numbered as in the Raft library's protocol. Append-only.
///
/// A `Snapshot` carries none: it tells a member that the leader's log begins behind `index`, so that this member, which lacks
/// entries before, has to pull one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[allow(missing_docs, reason = "the names are the protocol's own")]
pub enum RaftMessageKind {
    Append,
    AppendResponse,
    RequestVote,
    RequestVoteResponse,
    Snapshot,
    Heartbeat,
    HeartbeatResponse,
    TransferLeader,
    TimeoutNow,
    ReadIndex,
    ReadIndexResp,
    RequestPreVote,
    RequestPreVoteResponse,
}

/// A log entry on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct WireEntry {
    /// Term in which it was proposed.
    pub term: u64,
    /// Position.
    pub index: u64,
    /// 0 = normal, 1 = a change of members.
    pub kind: u8,
    /// The proposal, or the encoded [`MemberChange`](crate::members::MemberChange).
    pub data: Vec<u8>,
}
