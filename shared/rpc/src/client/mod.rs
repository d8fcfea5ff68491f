//! Calls to one node.

mod slot;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use covey_env::Env;
use covey_shared::codec::{self, CodecError};
use covey_shared::ids::{ClusterId, ModelEpoch, NodeId};
use covey_shared::wire::{Class, Header, NodeReply, NodeRequest, ReplyBody, RequestBody, WIRE_VERSION, WireError};
use tarpc::client::RpcError;
use tokio::sync::Semaphore;
use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

use crate::dial::Peer;
use crate::error::CallError;
use crate::framing::{Answer, HEAD, MAX_DEADLINE, Payload, call_context};
use crate::names;
use slot::Slot;

/// Classes of calls; Raft has its own stream.
const CALL_CLASSES: [Class; 4] = [Class::Query, Class::Write, Class::Bulk, Class::Admin];
/// Hint of a full window: about the time in which a place becomes free.
pub(crate) const RETRY_AFTER: Duration = Duration::from_millis(10);

/// How a process calls other nodes.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// The cluster of this process.
    pub cluster: ClusterId,
    /// This node; 0 for a coordinator or a tool.
    pub sender: NodeId,
    /// Largest message in bytes; at most `covey_shared::codec::MAX_MESSAGE`.
    pub max_frame: usize,
    /// Connections per class, ≥ 1. More than one, so that a large reply does not hold up all small ones.
    pub connections: usize,
    /// Time to open a connection, handshake included.
    pub connect_timeout: Duration,
    /// Calls on the way to the node, over all classes; one more is refused.
    pub in_flight: usize,
    /// Shortest pause after a failed attempt to connect.
    pub backoff_min: Duration,
    /// Longest pause after a failed attempt to connect.
    pub backoff_max: Duration,
}

impl ClientOptions {
    /// The defaults of `[rpc]` in `cluster.toml`.
    pub fn new(cluster: ClusterId, sender: NodeId) -> ClientOptions {
        ClientOptions {
            cluster,
            sender,
            max_frame: codec::MAX_MESSAGE,
            connections: 2,
            connect_timeout: Duration::from_secs(1),
            in_flight: 256,
            backoff_min: Duration::from_millis(10),
            backoff_max: Duration::from_millis(500),
        }
    }
}

/// What a call brought.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The answer.
    pub reply: ReplyBody,
    /// Bytes of the encoded request and reply; the frame of each comes on top.
    pub bytes: u64,
}

/// What a client thinks of its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// No connection yet, or none any more; the next call opens one.
    Idle,
    /// A connection is being opened.
    Connecting,
    /// At least one connection is open.
    Connected,
    /// The last attempt failed; calls fail at once until the pause is over.
    Backoff,
}

/// A client's state, for status pages.
#[derive(Clone, Debug)]
pub struct NodeClientStatus {
    /// The node.
    pub peer: Peer,
    /// What is thought of it.
    pub state: LinkState,
    /// Open connections.
    pub connections: usize,
    /// Calls on the way.
    pub in_flight: usize,
    /// Calls so far.
    pub calls: u64,
    /// Calls that ended in an error.
    pub failed: u64,
    /// Calls that their caller gave up (a hedge that lost, a client that left).
    pub cancelled: u64,
}

/// Calls one node. Cheap to clone; clones share connections and window. The task of a connection runs on the runtime of the
/// call that opened it.
#[derive(Clone)]
pub struct NodeClient {
    link: Arc<Link>,
}

/// What all connections to a node have in common.
pub(crate) struct Link {
    env: Env,
    peer: Peer,
    address: Arc<str>,
    options: ClientOptions,
    /// Places of all classes.
    window: Semaphore,
    /// `connections` slots of each class, in the order of [`CALL_CLASSES`].
    slots: Vec<Arc<Slot>>,
    turn: AtomicUsize,
    calls: AtomicU64,
    failed: AtomicU64,
    cancelled: AtomicU64,
}

/// Counts a call that is dropped before it has a result.
struct Unfinished<'a>(Option<&'a AtomicU64>);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(cancelled) = self.0 {
            cancelled.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl NodeClient {
    /// A client of `peer`. Connects with the first call.
    pub fn new(env: Env, peer: Peer, options: ClientOptions) -> NodeClient {
        let per_class = options.connections.max(1);
        let slots = CALL_CLASSES
            .iter()
            .flat_map(|class| (0..per_class).map(|_| Arc::new(Slot::new(*class))));
        let link = Link {
            slots: slots.collect(),
            window: Semaphore::new(options.in_flight.max(1)),
            address: peer.address.as_str().into(),
            env,
            peer,
            options,
            turn: AtomicUsize::new(0),
            calls: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
        };
        NodeClient { link: Arc::new(link) }
    }

    /// The node.
    pub fn peer(&self) -> &Peer {
        &self.link.peer
    }

    /// Makes a call that may take up to `deadline` (cut to one hour), connecting included. Dropping the future cancels the
    /// work on the node. `class` is not [`Class::Raft`].
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn call(
        &self,
        class: Class,
        deadline: Duration,
        body: RequestBody,
        model_epoch: ModelEpoch,
    ) -> Result<ReplyBody, CallError> {
        Ok(self.exchange(class, deadline, body, model_epoch).await?.reply)
    }

    /// [`NodeClient::call`], and what it put on the wire.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn exchange(
        &self,
        class: Class,
        deadline: Duration,
        body: RequestBody,
        model_epoch: ModelEpoch,
    ) -> Result<Exchange, CallError> {
        let link = &*self.link;
        let deadline = deadline.min(MAX_DEADLINE);
        let span = info_span!(
            "rpc.call",
            otel.kind = "client",
            node = link.peer.node.0,
            class = names::class(class),
            request = names::request(&body),
            bytes = Empty,
            deadline_ms = millis(deadline),
            otel.status_code = Empty,
            otel.status_description = Empty,
        );
        link.calls.fetch_add(1, Ordering::Relaxed);
        let mut unfinished = Unfinished(Some(&link.cancelled));
        let result = self
            .attempt(class, deadline, body, model_epoch)
            .instrument(span.clone())
            .await;
        unfinished.0 = None;
        if let Err(error) = &result {
            link.failed.fetch_add(1, Ordering::Relaxed);
            span.record("otel.status_code", "ERROR");
            span.record("otel.status_description", tracing::field::display(error));
        }
        result
    }

    /// State for status pages.
    pub fn status(&self) -> NodeClientStatus {
        let link = &*self.link;
        let states: Vec<LinkState> = link.slots.iter().map(|slot| slot.state(link)).collect();
        let best = [LinkState::Connected, LinkState::Connecting, LinkState::Backoff];
        NodeClientStatus {
            peer: link.peer.clone(),
            state: best
                .into_iter()
                .find(|state| states.contains(state))
                .unwrap_or(LinkState::Idle),
            connections: states.iter().filter(|state| **state == LinkState::Connected).count(),
            in_flight: link.options.in_flight.max(1) - link.window.available_permits(),
            calls: link.calls.load(Ordering::Relaxed),
            failed: link.failed.load(Ordering::Relaxed),
            cancelled: link.cancelled.load(Ordering::Relaxed),
        }
    }

    async fn attempt(
        &self,
        class: Class,
        deadline: Duration,
        body: RequestBody,
        model_epoch: ModelEpoch,
    ) -> Result<Exchange, CallError> {
        let link = &*self.link;
        let Ok(_place) = link.window.try_acquire() else {
            return Err(link.overloaded(RETRY_AFTER));
        };
        let ends = link.env.clock.monotonic().plus(deadline);
        let slot = link.slot(class);
        let exchange = async {
            let calls = slot.channel(&self.link).await?;
            slot.asked(link.env.clock.monotonic());
            let left = ends.left(link.env.clock.monotonic());
            let payload = link.encode(class, left, body, model_epoch)?;
            let context = call_context(&*link.env.clock, left);
            let asked = payload.bytes.len();
            let answer = calls.call(context, payload).await.map_err(|error| match error {
                RpcError::DeadlineExceeded => link.timeout(deadline),
                _ => CallError::Closed { node: link.peer.node },
            });
            Ok((asked, answer?))
        };
        let answer = tokio::time::timeout(deadline, exchange).await;
        let answer = answer.unwrap_or_else(|_| Err(link.timeout(deadline)));
        match &answer {
            Ok(_) => slot.heard(),
            Err(CallError::Timeout { .. }) => slot.give_up_if_silent(link),
            Err(_) => {}
        }
        let (asked, answer) = answer?;
        link.decode(asked, answer)
    }
}

impl std::fmt::Debug for NodeClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NodeClient").field("status", &self.status()).finish()
    }
}

impl Link {
    fn slot(&self, class: Class) -> &Arc<Slot> {
        let group = CALL_CLASSES
            .iter()
            .position(|c| *c == class)
            .expect("Raft messages are not calls");
        let per_class = self.slots.len() / CALL_CLASSES.len();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % per_class;
        &self.slots[group * per_class + turn]
    }

    fn encode(
        &self,
        class: Class,
        left: Duration,
        body: RequestBody,
        model_epoch: ModelEpoch,
    ) -> Result<Payload, CallError> {
        let deadline_ms = millis(left);
        let header = Header {
            cluster: self.options.cluster,
            version: WIRE_VERSION,
            class,
            deadline_ms,
            model_epoch,
            trace: covey_telemetry::current_trace(),
        };
        let bytes = codec::encode(&NodeRequest { header, body }).map_err(|error| self.codec(error))?;
        let limit = self.options.max_frame.saturating_sub(HEAD);
        if bytes.len() > limit {
            let what = "NodeRequest";
            let bytes = bytes.len();
            return Err(self.codec(CodecError::TooLarge { what, bytes, limit }));
        }
        Span::current().record("bytes", bytes.len());
        Ok(Payload {
            deadline_ms,
            bytes: Bytes::from(bytes),
        })
    }

    /// The answer to a request of so many bytes.
    fn decode(&self, asked: usize, answer: Answer) -> Result<Exchange, CallError> {
        let bytes = match answer {
            Answer::Reply(bytes) => bytes,
            Answer::Busy => return Err(self.overloaded(RETRY_AFTER)),
            Answer::TooLarge { bytes } => {
                return Err(self.codec(CodecError::TooLarge {
                    what: "NodeReply",
                    bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
                    limit: self.options.max_frame,
                }));
            }
        };
        let reply: NodeReply = codec::decode(&bytes).map_err(|error| self.codec(error))?;
        let reply = reply.body.map_err(|error| match error {
            WireError::Overloaded { retry_after_ms } => {
                self.overloaded(Duration::from_millis(u64::from(retry_after_ms)))
            }
            error => CallError::Wire {
                node: self.peer.node,
                error,
            },
        })?;
        let bytes = (asked + bytes.len()) as u64;
        Ok(Exchange { reply, bytes })
    }

    fn overloaded(&self, retry_after: Duration) -> CallError {
        CallError::Overloaded {
            node: self.peer.node,
            retry_after,
        }
    }

    fn timeout(&self, waited: Duration) -> CallError {
        CallError::Timeout {
            node: self.peer.node,
            waited,
        }
    }

    fn codec(&self, source: CodecError) -> CallError {
        CallError::Codec {
            node: self.peer.node,
            source: Arc::new(source),
        }
    }
}

/// Rounded up: a call with less than a millisecond left is not yet late.
fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_micros().div_ceil(1000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "client_test.rs"]
mod tests;
