//! A connection of calls.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use covey_shared::codec;
use covey_shared::wire::{Class, NodeReply, NodeRequest, OLDEST_WIRE_VERSION, WIRE_VERSION, WireError};
use futures::{FutureExt, StreamExt};
use tarpc::ServerError;
use tarpc::server::{self, BaseChannel, Channel};
use tokio_util::codec::Framed;
use tracing::{Instrument, Span, info_span};

use super::accept::Accepted;
use super::{CallContext, Counters, Shared, count};
use crate::client::RETRY_AFTER;
use crate::framing::{Answer, HEAD, MAX_DEADLINE, Payload, ServerCodec, WRITE_BUFFER};
use crate::names;

/// The peer of one connection, as its calls see it.
struct Caller {
    shared: Arc<Shared>,
    address: Arc<str>,
    peer: covey_shared::ids::NodeId,
    class: Class,
}

/// Serves calls until the connection ends, is idle for too long, or the process shuts down and the last call is answered.
pub(super) async fn serve(shared: Arc<Shared>, accepted: Accepted) {
    let options = &shared.options;
    let codec = ServerCodec::new(options.max_frame, shared.env.clock.clone());
    let mut framed = Framed::new(accepted.stream, codec);
    framed.set_backpressure_boundary(WRITE_BUFFER);
    let config = server::Config {
        pending_response_buffer: options.calls_per_connection,
    };
    let channel = BaseChannel::new(config, framed).max_concurrent_requests(options.calls_per_connection);
    let mut requests = Box::pin(channel.requests());
    let mut closing = shared.closing.clone();
    let caller = Arc::new(Caller {
        shared: shared.clone(),
        address: accepted.address,
        peer: accepted.hello.sender,
        class: accepted.hello.class,
    });
    loop {
        let ending = *closing.borrow_and_update();
        let next = poll_fn(|context| match requests.poll_next_unpin(context) {
            // Polled just now, so every reply has been written.
            Poll::Pending if ending && requests.channel().in_flight_requests() == 0 => Poll::Ready(None),
            polled => polled,
        });
        let next = tokio::select! {
            biased;
            changed = closing.changed(), if !ending => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
            next = tokio::time::timeout(shared.options.idle_timeout, next) => next,
        };
        match next {
            Ok(Some(Ok(request))) => {
                let caller = caller.clone();
                // A task, not a future of this one: it ends when the channel says so, on cancellation, deadline and end.
                let answering = request.execute(server::serve(move |_, payload| answer(caller, payload)));
                shared.env.spawn.task(answering.boxed()).detach();
            }
            Ok(Some(Err(error))) => return ended(&caller, &error),
            Ok(None) => return,
            Err(_) if requests.channel().in_flight_requests() == 0 => return,
            Err(_) => {}
        }
    }
}

/// A peer that leaves is nothing to report; one that talks nonsense is.
fn ended(caller: &Caller, error: &tarpc::ChannelError<std::io::Error>) {
    let nonsense = match error {
        tarpc::ChannelError::Read(source) => source.kind() == std::io::ErrorKind::InvalidData,
        _ => false,
    };
    if nonsense {
        count(&caller.shared.counters.malformed);
        caller.shared.complain(
            &caller.address,
            "closed a connection that broke the protocol",
            Some(error),
        );
    } else {
        tracing::debug!(
            peer = &*caller.address,
            error = error as &dyn std::error::Error,
            "a connection ended"
        );
    }
}

async fn answer(caller: Arc<Caller>, payload: Payload) -> Result<Answer, ServerError> {
    let bytes = payload.bytes.len();
    let body = match codec::decode::<NodeRequest>(&payload.bytes) {
        Err(error) => {
            count(&caller.shared.counters.malformed);
            caller
                .shared
                .complain(&caller.address, "a call does not decode", Some(&error));
            Err(WireError::Malformed)
        }
        Ok(request) => match caller.check(&request) {
            Err(error) => Err(error),
            Ok(()) => return Ok(caller.encode(&caller.carry_out(request, bytes).await)),
        },
    };
    Ok(caller.encode(&reply(body)))
}

fn reply(body: Result<covey_shared::wire::ReplyBody, WireError>) -> NodeReply {
    NodeReply {
        version: WIRE_VERSION,
        body,
    }
}

/// A call at work; counts how it ends.
struct AtWork<'a> {
    counters: &'a Counters,
    done: bool,
}

impl<'a> AtWork<'a> {
    fn start(counters: &'a Counters) -> AtWork<'a> {
        count(&counters.calls);
        counters.in_flight.fetch_add(1, Ordering::Relaxed);
        AtWork { counters, done: false }
    }
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.counters.in_flight.fetch_sub(1, Ordering::Relaxed);
        if !self.done {
            count(&self.counters.cancelled);
        }
    }
}

impl Caller {
    /// The connection has said the same things in its handshake, but a mix-up must not reach a shard.
    fn check(&self, request: &NodeRequest) -> Result<(), WireError> {
        let header = &request.header;
        if !(OLDEST_WIRE_VERSION..=WIRE_VERSION).contains(&header.version) {
            return Err(WireError::Version {
                found: header.version,
                newest: WIRE_VERSION,
            });
        }
        if header.cluster != self.shared.options.cluster {
            return Err(WireError::WrongCluster);
        }
        if header.class != self.class {
            count(&self.shared.counters.malformed);
            return Err(WireError::Malformed);
        }
        if header.deadline_ms == 0 {
            count(&self.shared.counters.expired);
            return Err(WireError::DeadlineExceeded);
        }
        if *self.shared.closing.borrow() {
            return Err(WireError::ShuttingDown);
        }
        Ok(())
    }

    async fn carry_out(&self, request: NodeRequest, bytes: usize) -> NodeReply {
        let shared = &*self.shared;
        let permits = shared.permits_of(self.class).expect("Raft streams carry no calls");
        let Ok(_permit) = permits.try_acquire() else {
            count(&shared.counters.overloaded);
            let retry_after_ms = u32::try_from(RETRY_AFTER.as_millis()).expect("some milliseconds");
            return reply(Err(WireError::Overloaded { retry_after_ms }));
        };
        let left = Duration::from_millis(u64::from(request.header.deadline_ms)).min(MAX_DEADLINE);
        let context = CallContext {
            peer: self.peer,
            address: self.address.clone(),
            deadline: shared.env.clock.monotonic().plus(left),
        };
        let span = self.span(&request, bytes);
        let mut at_work = AtWork::start(&shared.counters);
        // Inside the span already: a handler may make its own spans before its future runs.
        let work = span
            .in_scope(|| (shared.handlers.calls)(request, context))
            .instrument(span);
        let result = tokio::time::timeout(left, work).await;
        at_work.done = true;
        result.unwrap_or_else(|_| {
            count(&shared.counters.expired);
            reply(Err(WireError::DeadlineExceeded))
        })
    }

    fn span(&self, request: &NodeRequest, bytes: usize) -> Span {
        let span = info_span!(
            "rpc.serve",
            otel.kind = "server",
            peer = self.peer.0,
            class = names::class(self.class),
            request = names::request(&request.body),
            bytes,
            deadline_ms = request.header.deadline_ms,
        );
        covey_telemetry::set_parent(&span, &request.header.trace);
        span
    }

    fn encode(&self, reply: &NodeReply) -> Answer {
        let limit = self.shared.options.max_frame.saturating_sub(HEAD);
        match codec::encode(reply) {
            Ok(bytes) if bytes.len() <= limit => Answer::Reply(Bytes::from(bytes)),
            Ok(bytes) => Answer::TooLarge {
                bytes: bytes.len() as u64,
            },
            Err(codec::CodecError::TooLarge { bytes, .. }) => Answer::TooLarge { bytes: bytes as u64 },
            Err(error) => unreachable!("a reply of our own types always encodes: {error}"),
        }
    }
}
