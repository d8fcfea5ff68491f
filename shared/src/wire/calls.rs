//! Requests to a node and their replies.

use bincode::{Decode, Encode};

use crate::command::{ItemResult, ShardCommand};
use crate::directory::Directory;
use crate::ids::{ClusterId, LogIndex, ModelEpoch, NodeId, PostId, ReplicaId, ShardEpoch, ShardId, Term};
use crate::members::MemberChange;
use crate::metadata::{ClusterView, NodeReports, Operation, OperationFault};
use crate::model::F16Vector;
use crate::score::Hit;
use crate::settings::Settings;
use crate::wire::errors::{ShardError, WireError};
use crate::wire::lists::{ListsQuery, RankedPost};
use crate::wire::members::ShardReport;
use crate::wire::reads::{
    AuthorInfo, AuthorsQuery, Candidate, CandidatesQuery, GetPostsQuery, InNetworkQuery, PostView, SearchQuery,
    TextMatch, TextQuery, Verdict, VerdictQuery,
};
use crate::wire::shard::ShardReply;
use crate::wire::snapshot::{OpenedSnapshot, SnapshotChunk, Standing};
use crate::wire::status::{BuildsStatus, NodeStatus};
use crate::wire::viewer::{ViewerQuery, ViewerState};

/// Posts in one [`RequestBody::Vectors`]: 2 MiB of rows at the largest dimension.
pub const MAX_VECTORS: usize = 256;

/// Version of the protocol that is spoken.
pub const WIRE_VERSION: u16 = 6;

/// Oldest version that is understood. Since then replicas keep other actions of a viewer: those of releases that apply an entry
/// differently must not belong to one shard.
pub const OLDEST_WIRE_VERSION: u16 = 6;

/// Which permits and connections a call uses, so that bulk work never delays a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Class {
    /// Raft messages.
    Raft,
    /// Searches, feeds, hydration.
    Query,
    /// Client writes.
    Write,
    /// Outbox, loaders, repair.
    Bulk,
    /// Status and administration.
    Admin,
}

/// In front of every request.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Header {
    /// Sender's cluster; another one is refused.
    pub cluster: ClusterId,
    /// [`WIRE_VERSION`] of the sender.
    pub version: u16,
    /// Class of the work.
    pub class: Class,
    /// Time left when it was sent, in milliseconds.
    pub deadline_ms: u32,
    /// Model epoch that the caller works with; 0 = none.
    pub model_epoch: ModelEpoch,
    /// W3C trace context: 16 bytes trace id, 8 bytes span id, 1 byte flags; all zero = none.
    pub trace: [u8; 25],
}

/// A request to a node.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct NodeRequest {
    /// Who asks and how long they wait.
    pub header: Header,
    /// What they ask.
    pub body: RequestBody,
}

/// One call carries all shards of a node that it concerns. Append-only.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum RequestBody {
    /// Replicate a command in one shard.
    Write {
        /// The shard.
        shard: ShardId,
        /// Epoch in the caller's map.
        epoch: ShardEpoch,
        /// The change.
        command: ShardCommand,
    },
    /// Posts by key.
    GetPosts(GetPostsQuery),
    /// Nearest neighbours.
    Search(SearchQuery),
    /// Everything kept about one viewer.
    Viewer(ViewerQuery),
    /// Newest posts of followed authors.
    InNetwork(InNetworkQuery),
    /// The best posts of lists.
    Lists(ListsQuery),
    /// Existence, labels, blocks and text of selected posts.
    Verdicts(VerdictQuery),
    /// Names and follower counts of authors.
    Authors(AuthorsQuery),
    /// State of the node and its replicas.
    Status,
    /// Hash over the logical content of each replica at its applied index.
    LogicalHash {
        /// Which shards; empty = all of this node.
        shards: Vec<ShardId>,
    },
    /// Fixed-width fields of posts, by key.
    Candidates(CandidatesQuery),
    /// How far the log of a replica goes.
    Standing {
        /// Its shard.
        shard: ShardId,
    },
    /// Have the leader of a shard make a snapshot, or join in one that it keeps.
    OpenSnapshot {
        /// The shard.
        shard: ShardId,
        /// Lowest index that is of use.
        at_least: LogIndex,
    },
    /// A piece of a file of an opened snapshot.
    SnapshotChunk {
        /// Id of the snapshot.
        snapshot: u64,
        /// Position of the file in the manifest.
        file: u32,
        /// Where in the file; a multiple of the size of a chunk.
        offset: u64,
    },
    /// Hash of a replica's records behind a `ComputeHash` of its log.
    HashAt {
        /// The shard.
        shard: ShardId,
        /// The entry.
        index: LogIndex,
    },
    /// Rows of vectors, for a replica in which they are damaged.
    Vectors {
        /// The shard.
        shard: ShardId,
        /// Whose; at most [`MAX_VECTORS`].
        posts: Vec<PostId>,
    },
    /// Start no build and no merge of vector indexes for a while.
    PauseBuilds {
        /// For how long from now, in milliseconds; 0 ends a pause, more than [`MAX_BUILD_PAUSE_MS`](crate::wire::MAX_BUILD_PAUSE_MS) counts as that.
        pause_ms: u64,
    },
    /// Have another member of a shard lead it; asked of its leader.
    TransferLeader {
        /// The shard.
        shard: ShardId,
        /// Node that should lead.
        to: NodeId,
    },
    /// A shard and its members, as a replica knows them.
    Members {
        /// The shard.
        shard: ShardId,
    },
    /// Change the members of a shard; asked of its leader.
    ChangeMembers {
        /// The shard.
        shard: ShardId,
        /// What changes, and of which version.
        change: MemberChange,
    },
    /// Remove a replica that is no member any more, with all its data. It has been done once `Members` says `NotHere`.
    Destroy {
        /// The replica.
        replica: ReplicaId,
    },
    /// What every replica of this node knows of its shard.
    Reports,
    /// The metadata of the cluster; asked of the leader of [`ShardId::METADATA`].
    Describe {
        /// So many lines of the audit log at most.
        audit: u32,
    },
    /// What an operation would do, without doing it; asked of the leader of [`ShardId::METADATA`].
    Rehearse(Operation),
    /// The nodes of the cluster.
    Directory,
    /// The nodes of the cluster, told by whoever leads [`ShardId::METADATA`]; an older list than the known one is ignored.
    LearnDirectory(Directory),
    /// Which index of each shard covers everything that was acknowledged before; asked of their leaders, who ask a majority.
    ReadIndexes {
        /// The shards, with their epochs in the caller's map.
        shards: Vec<(ShardId, ShardEpoch)>,
    },
    /// Which of some posts hold one of some phrases.
    MatchTexts(TextQuery),
    /// What operators have set.
    Settings,
    /// What operators have set, told by whoever leads [`ShardId::METADATA`]; older ones than the known are ignored.
    LearnSettings(Settings),
}

/// A reply of a node.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct NodeReply {
    /// [`WIRE_VERSION`] of the sender.
    pub version: u16,
    /// The answer, or why there is none.
    pub body: Result<ReplyBody, WireError>,
}

/// Answers, in the order of [`RequestBody`]. Append-only.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum ReplyBody {
    /// To `Write`.
    Write(Result<WriteReply, ShardError>),
    /// To `GetPosts`: found posts; what is missing does not exist.
    GetPosts(Vec<ShardReply<Vec<PostView>>>),
    /// To `Search`.
    Search(Vec<ShardReply<Vec<Hit>>>),
    /// To `Viewer`.
    Viewer(Box<ShardReply<ViewerState>>),
    /// To `InNetwork`.
    InNetwork(Vec<ShardReply<Vec<Candidate>>>),
    /// To `Lists`: one list for each that was asked for.
    Lists(Vec<ShardReply<Vec<Vec<RankedPost>>>>),
    /// To `Verdicts`.
    Verdicts(Vec<ShardReply<Vec<Verdict>>>),
    /// To `Authors`.
    Authors(Vec<ShardReply<Vec<AuthorInfo>>>),
    /// To `Status`.
    Status(Box<NodeStatus>),
    /// To `LogicalHash`: of exactly what the reply calls applied.
    LogicalHash(Vec<ShardReply<u64>>),
    /// To `Candidates`: found posts, unscored; what is missing does not exist.
    Candidates(Vec<ShardReply<Vec<Candidate>>>),
    /// To `Standing`.
    Standing(Result<Standing, ShardError>),
    /// To `OpenSnapshot`; `Overloaded` while it is being made.
    OpenSnapshot(Result<Box<OpenedSnapshot>, ShardError>),
    /// To `SnapshotChunk`; `NotHere` once it is not kept any more.
    SnapshotChunk(Result<SnapshotChunk, ShardError>),
    /// To `HashAt`; `None` while it is not known, or not any more.
    HashAt(Option<ReplicaHash>),
    /// To `Vectors`: in the order of the posts, each in the whole length of a row; `None` for one that is not there or is
    /// damaged there too. Who asked knows the checksum that each must have.
    Vectors(Result<Vec<Option<F16Vector>>, ShardError>),
    /// To `PauseBuilds`: as it is now.
    PauseBuilds(BuildsStatus),
    /// To `TransferLeader`: the term in which that node leads.
    TransferLeader(Result<Term, ShardError>),
    /// To `Members`.
    Members(Result<Box<ShardReport>, ShardError>),
    /// To `ChangeMembers`: the shard's epoch behind it.
    ChangeMembers(Result<ShardEpoch, ShardError>),
    /// To `Destroy`: it will be looked at.
    Destroy(Result<(), ShardError>),
    /// To `Reports`.
    Reports(Box<NodeReports>),
    /// To `Describe`.
    Describe(Result<Box<ClusterView>, ShardError>),
    /// To `Rehearse`: the operations that it would begin, or why it would be refused.
    Rehearse(Result<Result<Vec<Operation>, OperationFault>, ShardError>),
    /// To `Directory`.
    Directory(Directory),
    /// To `LearnDirectory`: the version that it knows now.
    LearnDirectory(LogIndex),
    /// To `ReadIndexes`, in its order.
    ReadIndexes(Vec<(ShardId, Result<LogIndex, ShardError>)>),
    /// To `MatchTexts`: one for each of the shard's keys that it has looked at.
    MatchTexts(Vec<ShardReply<Vec<TextMatch>>>),
    /// To `Settings`.
    Settings(Settings),
    /// To `LearnSettings`: the version that it knows now.
    LearnSettings(LogIndex),
}

/// The hash of a replica's records behind some entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ReplicaHash {
    /// The hash.
    pub hash: u64,
    /// The replica was copied from another one, and not found equal to the others since: it says nothing that its source does not.
    pub copy: bool,
}

/// A write that was applied on the leader and is durable on a majority.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct WriteReply {
    /// Where in the log.
    pub index: LogIndex,
    /// The shard's epoch.
    pub epoch: ShardEpoch,
    /// One per item of the command, in its order.
    pub results: Vec<ItemResult>,
}

#[cfg(test)]
#[path = "calls_test.rs"]
mod tests;
