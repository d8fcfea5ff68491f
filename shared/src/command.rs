//! What a shard's log carries, and what comes back for each item of it.

use bincode::{Decode, Encode};
use serde::Serialize;

use crate::codec::{CodecError, decode_versioned, encode_versioned};
use crate::ids::{LogIndex, OperationId, PostId, PostKey, ShardEpoch, UnixMillis, UserId, Version};
use crate::metadata::{MetadataChange, OperationFault};
use crate::model::{Action, Post, PostV1, UserUpdate};
use crate::slots::Slot;

/// Newest version of [`Proposal`]'s encoding.
pub const PROPOSAL_VERSION: u16 = 2;

/// One entry of a shard's log.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Proposal {
    /// The shard's epoch when it was proposed; ranges are checked again, per item, at apply.
    pub epoch: ShardEpoch,
    /// Log time: max(last, leader's clock). The only clock that apply knows.
    pub log_time: UnixMillis,
    /// What to do.
    pub body: ShardCommand,
}

/// A proposal of version 1 that puts posts. All others have not changed.
#[derive(Decode)]
struct PutPostsV1 {
    epoch: ShardEpoch,
    log_time: UnixMillis,
    _command: u32,
    posts: Vec<PostV1>,
}

/// Where version 1 has the number of the command: behind the version, the epoch and the time.
const COMMAND: std::ops::Range<usize> = 26..30;

impl Proposal {
    /// As logs keep it.
    ///
    /// # Errors
    /// It is larger than [`MAX_MESSAGE`](crate::codec::MAX_MESSAGE).
    pub fn encode(&self) -> Result<Vec<u8>, CodecError> {
        encode_versioned(PROPOSAL_VERSION, self)
    }

    /// Reads what this release or an earlier one has put into a log.
    ///
    /// # Errors
    /// Bytes of a newer release, or that are no proposal.
    pub fn decode(bytes: &[u8]) -> Result<Proposal, CodecError> {
        let puts = bytes.get(COMMAND) == Some(&[0; 4]);
        if bytes.first_chunk() != Some(&1_u16.to_le_bytes()) || !puts {
            return decode_versioned(PROPOSAL_VERSION, bytes);
        }
        let old: PutPostsV1 = decode_versioned(1, bytes)?;
        Ok(Proposal {
            epoch: old.epoch,
            log_time: old.log_time,
            body: ShardCommand::PutPosts(old.posts.into_iter().map(Post::from).collect()),
        })
    }
}

/// A change of a shard's state. Append-only: numbers never change.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum ShardCommand {
    /// Upserts of posts.
    PutPosts(Vec<Post>),
    /// Versioned tombstones.
    DeletePosts(Vec<PostDelete>),
    /// Upserts of users and their edges.
    PutUsers(Vec<UserUpdate>),
    /// Viewer actions; each is a member of a set, so that retries count once.
    RecordActions(Vec<Action>),
    /// Effects that another shard's outbox delivers, in order of the source slot's sequence.
    ApplyEffects(Vec<OutboxItem>),
    /// The source learns what was delivered and may forget it.
    TrimOutbox(Vec<OutboxMark>),
    /// Posts created before this time, tombstones and other expired records go.
    TrimBefore(UnixMillis),
    /// What a feed showed a viewer; best effort, coalesced.
    RecordServed(Vec<Served>),
    /// A write to the safety labels of posts: a takedown is a write like any other.
    SetLabels(Vec<LabelUpdate>),
    /// Changes nothing. Each replica takes the hash of its records right behind this entry.
    ComputeHash,
    /// Changes nothing. A replica with another hash behind that entry is damaged, and is built anew.
    VerifyHash {
        /// A `ComputeHash`.
        index: LogIndex,
        /// What most replicas have found there.
        hash: u64,
    },
    /// A change of the cluster's metadata, in the log of [`ShardId::METADATA`](crate::ids::ShardId::METADATA) only.
    Metadata(MetadataChange),
}

/// Deletes one post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PostDelete {
    /// Author and id.
    pub key: PostKey,
    /// The delete wins over puts up to this version.
    pub version: Version,
}

/// Replaces the safety labels of one post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LabelUpdate {
    /// Author and id.
    pub key: PostKey,
    /// Higher wins; counted apart from the post's own version.
    pub version: Version,
    /// The new labels.
    pub labels: u32,
}

/// Posts that one reply showed to one viewer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Served {
    /// Who.
    pub viewer: UserId,
    /// When.
    pub at: UnixMillis,
    /// What, ≤ 1000 ids.
    pub posts: Vec<PostId>,
}

/// A change that an entry of one shard causes on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Effect {
    /// Viewers acted on a post: add to its counters. Kind is [`crate::model::ActionKind`]'s index.
    CountAction {
        /// The post.
        key: PostKey,
        /// Kind of the action.
        kind: u8,
        /// When, for time-decayed counters.
        at: UnixMillis,
    },
    /// A user gained (`+1`) or lost (`−1`) a follower.
    CountFollower {
        /// The followed user.
        user: UserId,
        /// The change.
        delta: i32,
    },
}

impl Effect {
    /// The user whose slot the effect belongs to.
    pub fn owner(&self) -> UserId {
        match self {
            Effect::CountAction { key, .. } => key.author,
            Effect::CountFollower { user, .. } => *user,
        }
    }
}

/// One effect on its way: the destination ignores a sequence number that it has already seen from this slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct OutboxItem {
    /// Slot whose entry caused it.
    pub source: Slot,
    /// Position in that slot's outbox towards the destination *slot's* shard; grows by one, per source slot.
    pub sequence: u64,
    /// What to change.
    pub effect: Effect,
}

/// Everything up to `sequence` from `source` is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct OutboxMark {
    /// Slot whose outbox it is.
    pub source: Slot,
    /// Highest delivered sequence.
    pub sequence: u64,
}

/// What became of one item of a write.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemResult {
    /// Done, durable on a majority.
    Ok,
    /// A newer version was already there: nothing to do.
    Superseded,
    /// The item belongs to another shard now; ask the map again. The other items of the batch stand.
    StaleEpoch,
    /// The item breaks a rule; retrying will not help.
    Rejected(RejectReason),
    /// Of a start or cancellation: the operation, which may run since an earlier, equal one; or why it was refused.
    Operation(Result<OperationId, OperationFault>),
}

/// Why an item can never be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectReason {
    /// An id that must not be 0 is 0.
    ZeroId,
    /// Vector with another dimension than the space.
    WrongDimension,
    /// Vector with NaN, infinity or zero length.
    BadVector,
    /// Text, list or media larger than its limit.
    TooLarge,
    /// Neither text nor media nor a repost.
    Empty,
    /// An edge from a user to itself.
    SelfEdge,
    /// Older than the retention: it would expire at once.
    Expired,
}

impl std::fmt::Display for RejectReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            RejectReason::ZeroId => "an id is 0",
            RejectReason::WrongDimension => "the vector has another dimension than the space",
            RejectReason::BadVector => "the vector has NaN, infinity or zero length",
            RejectReason::TooLarge => "a text, list or media entry is larger than its limit",
            RejectReason::Empty => "the post has neither text nor media and repeats no other post",
            RejectReason::SelfEdge => "a user cannot follow, block or mute itself",
            RejectReason::Expired => "the post is older than the retention",
        })
    }
}

impl ShardCommand {
    /// Number of items, which is the number of [`ItemResult`]s it yields; those without items yield one.
    pub fn len(&self) -> usize {
        match self {
            ShardCommand::PutPosts(items) => items.len(),
            ShardCommand::DeletePosts(items) => items.len(),
            ShardCommand::PutUsers(items) => items.len(),
            ShardCommand::RecordActions(items) => items.len(),
            ShardCommand::ApplyEffects(items) => items.len(),
            ShardCommand::TrimOutbox(items) => items.len(),
            ShardCommand::TrimBefore(_)
            | ShardCommand::ComputeHash
            | ShardCommand::VerifyHash { .. }
            | ShardCommand::Metadata(_) => 1,
            ShardCommand::RecordServed(items) => items.len(),
            ShardCommand::SetLabels(items) => items.len(),
        }
    }

    /// Whether it has no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
#[path = "command_test.rs"]
mod tests;
