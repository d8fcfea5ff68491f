//! Why a call has no reply.

use std::sync::Arc;
use std::time::Duration;

use covey_shared::codec::CodecError;
use covey_shared::ids::NodeId;
use covey_shared::wire::WireError;
use thiserror::Error;

use crate::dial::ConnectError;
use crate::handshake::Refusal;

/// Why a call has no reply.
#[derive(Clone, Debug, Error)]
pub enum CallError {
    /// The node cannot be reached; tried moments ago at the latest.
    #[error("cannot reach node {node} at {address}")]
    Connect {
        /// The node.
        node: NodeId,
        /// Its address.
        address: Arc<str>,
        /// Why.
        source: Arc<ConnectError>,
    },
    /// The node refuses connections of this process.
    #[error("node {node} at {address} refuses the connection: {refusal}")]
    Refused {
        /// The node.
        node: NodeId,
        /// Its address.
        address: Arc<str>,
        /// Its reason.
        refusal: Refusal,
    },
    /// No reply before the deadline. Whether the work was done is unknown.
    #[error("node {node} did not answer within {waited:?}")]
    Timeout {
        /// The node.
        node: NodeId,
        /// How long was waited.
        waited: Duration,
    },
    /// Too many calls are on the way to the node, or it says that it has too much to do.
    #[error("node {node} is overloaded, retry after {retry_after:?}")]
    Overloaded {
        /// The node.
        node: NodeId,
        /// How long to wait before a retry.
        retry_after: Duration,
    },
    /// The node received the call and did not carry it out.
    #[error("node {node} did not carry out the call: {error}")]
    Wire {
        /// The node.
        node: NodeId,
        /// What it says.
        error: WireError,
    },
    /// The request or the reply cannot be encoded or decoded, or is too large.
    #[error("a message to or from node {node} is not valid")]
    Codec {
        /// The node.
        node: NodeId,
        /// What is wrong.
        source: Arc<CodecError>,
    },
    /// The connection broke while the call was on the way. Whether the work was done is unknown.
    #[error("the connection to node {node} broke during the call")]
    Closed {
        /// The node.
        node: NodeId,
    },
}

impl CallError {
    /// Whether the same call may succeed a little later or on another replica. Reads, and writes with idempotent items,
    /// may be repeated even when the outcome is unknown. A timeout is not retried: the time is used up.
    #[must_use]
    pub fn may_retry(&self) -> bool {
        match self {
            CallError::Connect { .. } | CallError::Overloaded { .. } | CallError::Closed { .. } => true,
            CallError::Refused { refusal, .. } => *refusal == Refusal::ShuttingDown,
            CallError::Wire { error, .. } => matches!(error, WireError::ShuttingDown),
            CallError::Timeout { .. } | CallError::Codec { .. } => false,
        }
    }

    /// Whether the node as a whole seems to be gone: choose another replica, and count it against the node.
    #[must_use]
    pub fn is_down(&self) -> bool {
        match self {
            CallError::Connect { .. } | CallError::Closed { .. } | CallError::Refused { .. } => true,
            CallError::Wire { error, .. } => matches!(error, WireError::ShuttingDown),
            CallError::Timeout { .. } | CallError::Overloaded { .. } | CallError::Codec { .. } => false,
        }
    }

    /// How long to wait before a retry, if the node said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            CallError::Overloaded { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }
}
