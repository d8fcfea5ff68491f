//! Questions of a node's workers to other nodes.

use std::time::Duration;

use covey_rpc::{CallError, NodeClient};
use covey_shared::ids::ModelEpoch;
use covey_shared::wire::{Class, ReplyBody, RequestBody, ShardError};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// The node does not answer.
    #[error("the node does not answer")]
    Call(#[from] CallError),
    /// It cannot.
    #[error("the node refuses")]
    Refused(#[from] ShardError),
    /// It does not belong to the cluster any more.
    #[error("the node is not known")]
    Unknown,
    /// Another answer than asked for.
    #[error("the node gave another answer than asked for")]
    Answer,
    /// This node stops.
    #[error("this node stops")]
    Stopped,
}

/// Asks a node, with what must not delay a query.
pub(crate) async fn ask(client: &NodeClient, deadline: Duration, body: RequestBody) -> Result<ReplyBody, AskError> {
    Ok(client.call(Class::Bulk, deadline, body, ModelEpoch(0)).await?)
}
