//! What can be wrong with an item and with a request, in words that say what to do.

use thiserror::Error;

use crate::ingest::VectorError;

/// Why one item of a batch is refused; the others stand.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum ItemFault {
    /// A required id.
    #[error("{field} is 0 or missing")]
    ZeroId {
        /// Which.
        field: &'static str,
    },
    /// The text.
    #[error("{field} has {found} bytes, the limit is {limit}")]
    TooLong {
        /// Which.
        field: &'static str,
        /// Its size in bytes.
        found: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A list.
    #[error("{field} has {found} entries, the limit is {limit}")]
    TooMany {
        /// Which.
        field: &'static str,
        /// Its length.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// An enum value that is not known.
    #[error("{field} has the unknown or missing value {value}")]
    UnknownValue {
        /// Which.
        field: &'static str,
        /// The number.
        value: i32,
    },
    /// No two letters.
    #[error("{field} {value:?} is not two letters")]
    NotACode {
        /// Which.
        field: &'static str,
        /// As given, cut.
        value: String,
    },
    /// Nothing to show.
    #[error("the post has neither text nor media and repeats no other post")]
    Empty,
    /// The vector.
    #[error(transparent)]
    Vector(#[from] VectorError),
    /// More than a day ahead.
    #[error("{field} lies more than a day in the future")]
    Future {
        /// Which.
        field: &'static str,
    },
    /// An edge to a topic.
    #[error("target_id is {0}, a topic is at most 4294967295")]
    Topic(u64),
    /// An edge from a user to itself.
    #[error("target_id is the user itself")]
    SelfEdge,
    /// A dwell time without a duration, or a duration without a dwell time.
    #[error("dwell_ms belongs to DWELL_TIME, and there it is at least 1")]
    Dwell,
    /// Surface.
    #[error("surface is {0}, the largest is 15")]
    Surface(u32),
    /// A reference to a post whose author nobody named.
    #[error("the author of post {post_id} in {field} is not known; give author_id")]
    UnknownAuthor {
        /// Which reference.
        field: &'static str,
        /// The other post.
        post_id: u64,
    },
    /// A post that refers to itself.
    #[error("{field} is the post itself")]
    SelfReference {
        /// Which reference.
        field: &'static str,
    },
}

/// Why a request is refused as a whole.
#[derive(Clone, Debug, PartialEq, Error)]
pub(crate) enum RequestFault {
    /// A list beyond its limit.
    #[error("{field}: {found} are more than the limit of {limit}")]
    TooMany {
        /// Which.
        field: &'static str,
        /// Its length.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// Asked for both ways.
    #[error("{key} cannot be both set and unset")]
    SetAndUnset {
        /// The key.
        key: String,
    },
    /// A required field.
    #[error("{field} is 0 or missing")]
    Missing {
        /// Which.
        field: &'static str,
    },
    /// A number out of its range.
    #[error("{field} is {value}, not in {range}")]
    OutOfRange {
        /// Which.
        field: &'static str,
        /// As given.
        value: f64,
        /// Where it should be.
        range: &'static str,
    },
    /// No two letters.
    #[error("{field} {value:?} is not two letters")]
    NotACode {
        /// Which.
        field: &'static str,
        /// As given, cut.
        value: String,
    },
    /// Too long a text.
    #[error("{field} has {found} bytes, the limit is {limit}")]
    TooLong {
        /// Which.
        field: &'static str,
        /// Its size in bytes.
        found: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The query vector.
    #[error("the query vector is not valid")]
    Vector(#[from] VectorError),
    /// A shard that is not in the map.
    #[error("there is no shard {shard}; `covey status` lists them")]
    UnknownShard {
        /// As given.
        shard: u64,
    },
    /// A node that is not in the configuration.
    #[error("there is no node {node}; `covey status` lists them")]
    UnknownNode {
        /// As given.
        node: u64,
    },
    /// A pause that somebody would forget.
    #[error("pause_ms is {found}, the limit is {limit} (a day): pause again when it is over")]
    PauseTooLong {
        /// As given.
        found: u64,
        /// The limit.
        limit: u64,
    },
    /// Nothing is wanted.
    #[error("give exactly one of move, transfer_leader, drain, maintenance, repair, add and unsafe_recover")]
    NoOperation,
    /// A text that a terminal would act upon.
    #[error("{field} has characters that cannot be printed")]
    Unprintable {
        /// Which.
        field: &'static str,
    },
    /// Not exactly one of three.
    #[error("give exactly one of vector, post and text")]
    NotOneQuery,
    /// A text that cannot be searched for.
    #[error("text has no words to search by")]
    NoWords,
}
