//! Messages between the processes of a cluster. Every enum is append-only; golden bytes guard the layout.

mod calls;
mod errors;
mod raft;
mod reads;
mod seen;
mod status;

pub use calls::{Class, Header, NodeReply, NodeRequest, ReplyBody, RequestBody, WIRE_VERSION, WriteReply};
pub use errors::{InvalidRequest, NotReady, ShardError, WireError};
pub use raft::{RaftFrame, RaftMessage, RaftMessageKind, WireEntry, WireSnapshot};
pub use reads::{
    AuthorInfo, AuthorsQuery, Candidate, CandidateFlags, CandidatesQuery, Counters, GetPostsQuery, InNetworkQuery,
    PopularQuery, PostView, SearchFilter, SearchQuery, SeenBloom, ShardRead, ShardReply, Verdict, VerdictQuery,
    ViewerAction, ViewerQuery, ViewerState,
};
pub use seen::bloom_bits;
pub use status::{DiskStatus, NodeStatus, ReplicaRole, ReplicaStatus, SpaceStatus};
