//! Errors of the API, and the only place that maps them to gRPC and HTTP codes.

use std::time::Duration;

use covey_shared::ids::ShardId;
use covey_shared::metadata::OperationFault;
use serde::Serialize;
use thiserror::Error;
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

use crate::api::convert::{ItemFault, RequestFault};
use crate::cluster::{MetadataError, ReadError};
use crate::feed::FeedError;
use crate::seal::SealError;

/// Why a request has no reply.
#[derive(Debug, Error)]
pub(crate) enum ApiError {
    /// The body is not the message that is expected.
    #[error("the body is not a valid message: {0}")]
    Malformed(String),
    /// A field is wrong.
    #[error(transparent)]
    Invalid(#[from] RequestFault),
    /// An item that stands for the whole request is wrong.
    #[error(transparent)]
    Item(#[from] ItemFault),
    /// The session token is not ours.
    #[error("session_token is not valid")]
    Token(#[from] SealError),
    /// The body is too large.
    #[error("the body is larger than {limit} bytes (coordinator.max_body)")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// No such path.
    #[error(
        "there is nothing at this path; calls are POST /v1/feed, /v1/search, /v1/explain, /v1/posts:put, …:get, …:delete, \
             /v1/users:put, /v1/actions:record, /v1/labels:set, /v1/operations, /v1/settings:change, and GET /v1/status, /v1/cluster, /v1/settings"
    )]
    NoSuchPath,
    /// The post does not exist.
    #[error("post {post_id} does not exist")]
    PostNotFound {
        /// The post.
        post_id: u64,
    },
    /// The post has nothing to search by.
    #[error("post {post_id} has no vector; it has no text, or it is a repost")]
    NoVector {
        /// The post.
        post_id: u64,
    },
    /// Too many requests in work.
    #[error("this coordinator has as many requests in work as it takes (coordinator.max_in_flight); try again")]
    Overloaded,
    /// The shards did not answer.
    #[error("the shards did not answer")]
    Read(#[source] ReadError),
    /// A strong read cannot be sure.
    #[error(
        "a strong read was asked for, and no majority confirms who leads {}; without `strong` what is there is read",
        shards(.0)
    )]
    NotConfirmed(Vec<ShardId>),
    /// Settings that cannot be.
    #[error("{0}")]
    Settings(String),
    /// What an operator asks for cannot be.
    #[error(transparent)]
    Operation(#[from] OperationFault),
    /// The metadata says nothing.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// No feed.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The time is used up.
    #[error("the deadline passed before there was an answer")]
    DeadlineExceeded,
    /// The compute pool or an actor is gone.
    #[error("the coordinator is shutting down; use another one")]
    ShuttingDown,
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> ApiError {
        ApiError::Read(error)
    }
}

/// Pause asked for when the process is full: about the time of one request.
const OVERLOADED_RETRY: Duration = Duration::from_millis(50);
/// Pause asked for when shards are away: about the time of an election.
const UNAVAILABLE_RETRY: Duration = Duration::from_millis(500);

/// How an error looks outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outside {
    /// gRPC code; its name stands in the JSON.
    pub(crate) code: Code,
    /// HTTP status.
    pub(crate) http: u16,
    /// When to try again; `None`: not worth it.
    pub(crate) retry_after: Option<Duration>,
}

/// The JSON of an error.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorBody {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) retry_after_ms: u64,
    pub(crate) trace_id: String,
}

impl ApiError {
    /// The map of errors to codes.
    pub(crate) fn outside(&self) -> Outside {
        let (code, http, retry_after) = match self {
            ApiError::Malformed(_) | ApiError::Invalid(_) | ApiError::Item(_) | ApiError::Token(_) => {
                (Code::InvalidArgument, 400, None)
            }
            ApiError::Read(ReadError::Invalid(_)) | ApiError::Feed(FeedError::Cursor(_)) | ApiError::Settings(_) => {
                (Code::InvalidArgument, 400, None)
            }
            ApiError::TooLarge { .. } => (Code::ResourceExhausted, 413, None),
            ApiError::NoSuchPath => (Code::Unimplemented, 404, None),
            ApiError::PostNotFound { .. } => (Code::NotFound, 404, None),
            ApiError::NoVector { .. } => (Code::FailedPrecondition, 400, None),
            ApiError::Operation(fault) => operation(fault),
            ApiError::Metadata(MetadataError::Invalid(_)) => (Code::InvalidArgument, 400, None),
            // It is the time of an election, not that of the caller.
            ApiError::Metadata(_) => (Code::Unavailable, 503, Some(UNAVAILABLE_RETRY)),
            ApiError::NotConfirmed(_) => (Code::Unavailable, 503, Some(UNAVAILABLE_RETRY)),
            ApiError::Overloaded => (Code::ResourceExhausted, 429, Some(OVERLOADED_RETRY)),
            ApiError::Read(ReadError::NoAnswer { source, .. }) if source.is_late() => {
                (Code::DeadlineExceeded, 504, None)
            }
            ApiError::Read(ReadError::NoAnswer { .. }) => (Code::Unavailable, 503, Some(UNAVAILABLE_RETRY)),
            ApiError::Feed(FeedError::Unavailable { retry_after_ms, .. }) => {
                let pause = Duration::from_millis((*retry_after_ms).into());
                (Code::Unavailable, 503, Some(pause))
            }
            ApiError::DeadlineExceeded | ApiError::Feed(FeedError::DeadlineExceeded) => {
                (Code::DeadlineExceeded, 504, None)
            }
            ApiError::ShuttingDown => (Code::Unavailable, 503, Some(UNAVAILABLE_RETRY)),
        };
        Outside {
            code,
            http,
            retry_after,
        }
    }

    /// What happened, with the causes behind it.
    pub(crate) fn text(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }

    pub(crate) fn body(&self, trace_id: String) -> ErrorBody {
        let outside = self.outside();
        ErrorBody {
            code: name(outside.code),
            message: self.text(),
            retry_after_ms: millis(outside.retry_after),
            trace_id,
        }
    }

    pub(crate) fn status(&self, trace_id: &str) -> Status {
        let outside = self.outside();
        let mut status = Status::new(outside.code, self.text());
        let metadata = status.metadata_mut();
        if outside.retry_after.is_some() {
            metadata.insert("retry-after-ms", MetadataValue::from(millis(outside.retry_after)));
        }
        if let Ok(trace) = MetadataValue::try_from(trace_id) {
            metadata.insert(crate::api::TRACE_HEADER, trace);
        }
        status
    }
}

/// The first of them by name, and how many there are.
fn shards(all: &[ShardId]) -> String {
    let named: Vec<String> = all.iter().take(8).map(|shard| format!("shard {shard}")).collect();
    match all.len() - named.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

fn operation(fault: &OperationFault) -> (Code, u16, Option<Duration>) {
    match fault {
        OperationFault::UnknownNode(_) | OperationFault::UnknownShard(_) | OperationFault::UnknownOperation(_) => {
            (Code::NotFound, 404, None)
        }
        OperationFault::Conflict(_)
        | OperationFault::Ended(_)
        | OperationFault::NotAVoter { .. }
        | OperationFault::AlreadyThere { .. }
        | OperationFault::Drained(_)
        | OperationFault::NotDrained(_)
        | OperationFault::NoRoom { .. }
        | OperationFault::NotAway(_)
        | OperationFault::Removed(_)
        | OperationFault::NotEmpty { .. }
        | OperationFault::MajorityThere { .. }
        | OperationFault::Away(_)
        | OperationFault::SettingsChanged(_) => (Code::FailedPrecondition, 400, None),
        OperationFault::Invalid(_) => (Code::InvalidArgument, 400, None),
        OperationFault::TooMany(_) => (Code::ResourceExhausted, 429, None),
        OperationFault::NotYetKnown => (Code::Unavailable, 503, Some(UNAVAILABLE_RETRY)),
    }
}

fn millis(time: Option<Duration>) -> u64 {
    time.map_or(0, |t| u64::try_from(t.as_millis()).unwrap_or(u64::MAX))
}

fn name(code: Code) -> &'static str {
    match code {
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::NotFound => "NOT_FOUND",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::Unavailable => "UNAVAILABLE",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::Unimplemented => "UNIMPLEMENTED",
        _ => "INTERNAL",
    }
}

#[cfg(test)]
#[path = "errors_test.rs"]
mod tests;
