//! The seam to a node: one call and its reply. Tests and the simulator answer in its place.

use std::time::Duration;

use covey_rpc::{Exchange, NodeClient};
use covey_shared::ids::ModelEpoch;
use covey_shared::wire::{Class, RequestBody};
use futures::FutureExt;
use futures::future::BoxFuture;
use thiserror::Error;

/// One call to a node.
#[derive(Clone, Debug)]
pub struct NodeCall {
    /// Whose permits it takes.
    pub class: Class,
    /// Time for the whole call.
    pub left: Duration,
    /// Model epoch that the caller works with.
    pub model_epoch: ModelEpoch,
    /// What is asked.
    pub body: RequestBody,
}

/// Why a call has no reply.
#[derive(Clone, Debug, Error)]
pub enum CallError {
    /// It was made and failed.
    #[error(transparent)]
    Rpc(#[from] covey_rpc::CallError),
    /// Too many calls to the node are on their way already.
    #[error("too many calls to the node are on their way")]
    WindowFull,
    /// The node failed several times in a row and is left alone for a moment.
    #[error("the node is left alone for a moment after repeated failures")]
    BreakerOpen,
    /// The reply is not one to the request.
    #[error("the node answered another question")]
    WrongReply,
    /// The node is not in the configuration.
    #[error("the node is not in the configuration")]
    UnknownNode,
    /// This process is shutting down.
    #[error("the coordinator is shutting down")]
    ShuttingDown,
}

/// The way to one node.
pub trait NodePort: Send + Sync + 'static {
    /// Calls the node. Dropping the future cancels the call. The current span travels with it.
    fn call(&self, call: NodeCall) -> BoxFuture<'static, Result<Exchange, CallError>>;
}

impl NodePort for NodeClient {
    fn call(&self, call: NodeCall) -> BoxFuture<'static, Result<Exchange, CallError>> {
        let client = self.clone();
        async move {
            let NodeCall {
                class,
                left,
                model_epoch,
                body,
            } = call;
            Ok(client.exchange(class, left, body, model_epoch).await?)
        }
        .boxed()
    }
}
