//! Messages between the processes of a cluster. Every enum is append-only; golden bytes guard the layout.

mod calls;
mod errors;
mod lists;
mod members;
mod raft;
mod reads;
mod seen;
mod shard;
mod snapshot;
mod status;
mod viewer;

pub use calls::{
    Class, Header, MAX_VECTORS, NodeReply, NodeRequest, OLDEST_WIRE_VERSION, ReplicaHash, ReplyBody, RequestBody,
    WIRE_VERSION, WriteReply,
};
pub use errors::{InvalidRequest, NotReady, ShardError, TransferFault, WireError};
pub use lists::{ListAsk, ListGroup, ListsQuery, MAX_LISTS, RankedBy, RankedPost};
pub use members::{MemberProgress, ShardReport};
pub use raft::{RaftFrame, RaftMessage, RaftMessageKind, Sent, WireEntry};
pub use reads::{
    AuthorInfo, AuthorsQuery, Candidate, CandidateFlags, CandidatesQuery, Counters, Engagement, GetPostsQuery,
    InNetworkQuery, Place, PostView, SearchFilter, SearchQuery, TextMatch, TextQuery, Verdict, VerdictQuery,
};
pub use seen::{SeenBloom, bloom_bits};
pub use shard::{About, ShardRead, ShardReply};
pub use snapshot::{
    OpenedSnapshot, SNAPSHOT_CHUNK, SnapshotChunk, SnapshotFile, SnapshotFolder, SnapshotManifest, Standing,
};
pub use status::{
    BuildsStatus, DISK_STALL_MS, DiskSpeed, DiskStatus, MAX_BUILD_PAUSE_MS, MemoryPart, MemoryStatus, NodeStatus,
    RebuildPhase, RebuildStatus, ReplicaRole, ReplicaStatus, ScrubStatus, SpaceStatus, StartPhase,
};
pub use viewer::{ViewerAction, ViewerQuery, ViewerState};
