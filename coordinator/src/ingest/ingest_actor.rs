//! The ingest actor: takes the items of requests, sends them in batches, and gives each request its outcomes.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, Message, SpawnHandle, fut};
use covey_env::Monotonic;
use covey_shared::session::{Seen, SessionToken};
use covey_shared::wire::{InvalidRequest, WriteReply};
use tokio::sync::oneshot;
use tracing::{Instrument, Span};

use crate::cluster::{Cluster, WriteError};
use crate::ingest::batcher::{Batch, Batcher, Queued, Ticket};
use crate::ingest::item::{Outcome, WriteFailure, WriteItem, command, outcome};

/// Wait before a full lane is tried again.
const FULL_RETRY_MS: u32 = 50;

/// The items of one request. The reply comes when all have an outcome.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Submit {
    pub(crate) items: Vec<WriteItem>,
    pub(crate) deadline: Monotonic,
    pub(crate) span: Span,
    /// `None`: nobody waits for the outcome.
    pub(crate) reply: Option<oneshot::Sender<Submitted>>,
}

/// What became of the items of a request.
#[derive(Debug, Default)]
pub(crate) struct Submitted {
    /// One per item, in order.
    pub(crate) outcomes: Vec<Outcome>,
    /// What was written where.
    pub(crate) token: SessionToken,
}

/// A request that waits.
struct Request {
    outcomes: Vec<Option<Outcome>>,
    left: usize,
    token: SessionToken,
    span: Span,
    reply: oneshot::Sender<Submitted>,
}

/// Owns the queues in front of the shards.
pub(crate) struct IngestActor {
    cluster: Arc<Cluster>,
    batcher: Batcher,
    requests: BTreeMap<u64, Request>,
    next_request: u64,
    timer: Option<(Monotonic, SpawnHandle)>,
}

impl IngestActor {
    pub(crate) fn new(cluster: Arc<Cluster>, batcher: Batcher) -> IngestActor {
        IngestActor {
            cluster,
            batcher,
            requests: BTreeMap::new(),
            next_request: 0,
            timer: None,
        }
    }
}

impl Actor for IngestActor {
    type Context = Context<Self>;
}

impl Handler<Submit> for IngestActor {
    type Result = ();

    fn handle(&mut self, message: Submit, ctx: &mut Self::Context) {
        let Submit {
            items,
            deadline,
            span,
            reply,
        } = message;
        let request = self.next_request;
        self.next_request += 1;
        let waited_for = reply.is_some();
        if let Some(reply) = reply {
            let waiting = Request {
                outcomes: vec![None; items.len()],
                left: items.len(),
                token: SessionToken::default(),
                span,
                reply,
            };
            self.requests.insert(request, waiting);
        }
        let now = self.cluster.now();
        for (index, item) in items.into_iter().enumerate() {
            let shard = self.cluster.shard_of(item.owner());
            let ticket = waited_for.then_some(Ticket { request, index });
            let queued = Queued { item, ticket, deadline };
            if !self.batcher.push(shard, queued, now) {
                let retry_after_ms = FULL_RETRY_MS;
                self.settle(ticket, Err(WriteFailure::Unavailable { retry_after_ms }), None);
            }
        }
        self.finish(request);
        self.send_due(ctx);
    }
}

impl IngestActor {
    fn send_due(&mut self, ctx: &mut Context<Self>) {
        for batch in self.batcher.due(self.cluster.now()) {
            self.send(batch, ctx);
        }
        self.set_timer(ctx);
    }

    /// One timer, for the lane that is due first.
    fn set_timer(&mut self, ctx: &mut Context<Self>) {
        let Some(at) = self.batcher.next_due() else { return };
        if self.timer.is_some_and(|(set, _)| set <= at) {
            return;
        }
        if let Some((_, old)) = self.timer.take() {
            ctx.cancel_future(old);
        }
        let handle = ctx.run_later(at.left(self.cluster.now()), |actor, ctx| {
            actor.timer = None;
            actor.send_due(ctx);
        });
        self.timer = Some((at, handle));
    }

    fn send(&mut self, batch: Batch, ctx: &mut Context<Self>) {
        let Batch { lane, items } = batch;
        let deadline = items.iter().map(|q| q.deadline).max().unwrap_or_default();
        let tickets: Vec<Option<Ticket>> = items.iter().map(|q| q.ticket).collect();
        let items: Vec<WriteItem> = items.into_iter().map(|q| q.item).collect();
        // A batch serves many requests; it shows in the trace of the first.
        let first = tickets.iter().flatten().find_map(|t| self.requests.get(&t.request));
        let span = first.map_or_else(Span::none, |request| {
            tracing::info_span!(parent: &request.span, "ingest.batch", shard = lane.0.0, items = tickets.len())
        });
        let cluster = self.cluster.clone();
        let work = async move { cluster.write(lane.0, command(lane.1, items), deadline).await };
        let done = fut::wrap_future::<_, Self>(work.instrument(span)).map(move |result, actor, ctx| {
            actor.batcher.ended(lane);
            actor.settle_batch(lane.0, tickets, result);
            actor.send_due(ctx);
        });
        ctx.spawn(done);
    }

    fn settle_batch(
        &mut self,
        shard: covey_shared::ids::ShardId,
        tickets: Vec<Option<Ticket>>,
        result: Result<WriteReply, WriteError>,
    ) {
        let seen = result.as_ref().ok().map(|reply| Seen {
            shard,
            range_ver: reply.epoch.range_ver,
            index: reply.index,
        });
        let outcomes = outcomes(result, tickets.len());
        let mut touched: Vec<u64> = Vec::new();
        for (ticket, outcome) in tickets.into_iter().zip(outcomes) {
            touched.extend(ticket.map(|t| t.request));
            self.settle(ticket, outcome, seen);
        }
        touched.dedup();
        touched.into_iter().for_each(|request| self.finish(request));
    }

    fn settle(&mut self, ticket: Option<Ticket>, outcome: Outcome, seen: Option<Seen>) {
        let Some(Ticket { request, index }) = ticket else {
            return;
        };
        let Some(request) = self.requests.get_mut(&request) else {
            return;
        };
        if request.outcomes[index].replace(outcome).is_none() {
            request.left -= 1;
        }
        if let Some(seen) = seen {
            request.token.observe(seen);
        }
    }

    /// Replies if every item of the request has an outcome.
    fn finish(&mut self, id: u64) {
        if self.requests.get(&id).is_none_or(|request| request.left > 0) {
            return;
        }
        let Some(request) = self.requests.remove(&id) else {
            return;
        };
        let outcomes = request
            .outcomes
            .into_iter()
            .map(|o| o.expect("no item is left"))
            .collect();
        let submitted = Submitted {
            outcomes,
            token: request.token,
        };
        // The caller may have given up; its items are written all the same.
        drop(request.reply.send(submitted));
    }
}

/// One outcome per item, whatever the shard said.
fn outcomes(result: Result<WriteReply, WriteError>, items: usize) -> Vec<Outcome> {
    let failure = match result {
        Ok(reply) if reply.results.len() == items => return reply.results.iter().map(outcome).collect(),
        Ok(_) => WriteFailure::Uncertain,
        Err(WriteError::Unavailable { retry_after_ms, .. }) => WriteFailure::Unavailable { retry_after_ms },
        Err(WriteError::Uncertain { .. }) => WriteFailure::Uncertain,
        // Too large together says nothing about each; alone it is final.
        Err(WriteError::Invalid {
            source: InvalidRequest::EntryTooLarge | InvalidRequest::TooLarge,
            ..
        }) if items > 1 => WriteFailure::Unavailable { retry_after_ms: 0 },
        Err(WriteError::Invalid { source, .. }) => WriteFailure::Invalid(source),
    };
    vec![Err(failure); items]
}
