//! What a node says of a shard's members.

use bincode::{Decode, Encode};
use serde::Serialize;

use crate::ids::{LogIndex, ReplicaId, Term};
use crate::members::ShardDescriptor;

/// How far a member is, as its leader knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct MemberProgress {
    /// The member.
    pub replica: ReplicaId,
    /// Highest entry that it has on disk, as far as is known.
    pub matched: LogIndex,
    /// It was heard of within an election timeout.
    pub heard: bool,
    /// It did not say that it would rather not lead.
    pub fit: bool,
}

/// A shard as one of its replicas knows it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct ShardReport {
    /// Who says so.
    pub replica: ReplicaId,
    /// The shard as committed there: true, if perhaps no longer the newest.
    pub descriptor: ShardDescriptor,
    /// Who leads, if that is known.
    pub leader: Option<ReplicaId>,
    /// Term.
    pub term: Term,
    /// Last entry of the log.
    pub last: LogIndex,
    /// Last applied entry.
    pub applied: LogIndex,
    /// All members; empty unless this replica leads.
    pub members: Vec<MemberProgress>,
}
