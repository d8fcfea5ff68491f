//! The outbox actor ships effects of the shards led here to the shards that they concern: in order, one batch on its
//! way per source shard, again until acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorFutureExt, AsyncContext, Context, fut};
use covey_shared::command::{ItemResult, OutboxItem, OutboxMark, ShardCommand};
use covey_shared::ids::{NodeId, ShardId};
use covey_shared::slots::Slot;
use covey_shared::wire::{ReplyBody, RequestBody, ShardError};
use futures::future::join_all;
use tokio::sync::oneshot;

use crate::nodes::Clients;
use crate::outbox::Delivery;
use crate::question::ask;
use crate::server::NodeHandle;

/// Counters may lag by this much.
const PAUSE: Duration = Duration::from_millis(100);
/// Pause of a source after a round in which a destination did not answer: the round starts over from the beginning.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Effects of one page.
const PAGE: usize = 1000;
/// Pages of one round in which there was something to send; what is left waits for the next one.
const PAGES: usize = 8;
/// How long a delivery may take; it is repeated afterwards.
const DEADLINE: Duration = Duration::from_secs(5);

/// Ships what the leaders of this node owe to others.
pub(crate) struct OutboxActor {
    handle: Arc<NodeHandle>,
    clients: Arc<Clients>,
    mailbox: usize,
    busy: BTreeSet<ShardId>,
    /// Of the source shards that are not busy.
    deliveries: BTreeMap<ShardId, Delivery>,
    /// Who answered last as the leader of a shard.
    leaders: BTreeMap<ShardId, NodeId>,
}

impl Actor for OutboxActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(self.mailbox);
        ctx.run_interval(PAUSE, |actor, ctx| actor.ship(ctx));
    }
}

impl OutboxActor {
    pub(crate) fn new(handle: Arc<NodeHandle>, clients: Arc<Clients>, mailbox: usize) -> Self {
        OutboxActor {
            handle,
            clients,
            mailbox,
            busy: BTreeSet::new(),
            deliveries: BTreeMap::new(),
            leaders: BTreeMap::new(),
        }
    }

    fn ship(&mut self, ctx: &mut Context<Self>) {
        let here = self.handle.replicas.all();
        // They come in the order of their shards.
        let is_here = |shard: &ShardId| here.binary_search_by_key(shard, |replica| replica.shard).is_ok();
        self.deliveries.retain(|shard, _| is_here(shard));
        let due: Vec<ShardId> = here
            .iter()
            .filter(|r| self.handle.board.leads(r.shard) && r.view().outbox_len() > 0)
            .map(|r| r.shard)
            .filter(|shard| !self.busy.contains(shard))
            .collect();
        for shard in due {
            self.busy.insert(shard);
            let round = Round {
                handle: self.handle.clone(),
                clients: self.clients.clone(),
                leaders: self.leaders.clone(),
            };
            let delivery = self.deliveries.remove(&shard).unwrap_or_default();
            let shipped = fut::wrap_future::<_, Self>(round.run(shard, delivery));
            ctx.spawn(shipped.map(move |(delivery, learned), actor, ctx| {
                let pause = if delivery.has_failed() {
                    PAUSE_AFTER_FAILURE
                } else {
                    Duration::ZERO
                };
                actor.deliveries.insert(shard, delivery);
                actor.leaders.extend(learned);
                ctx.run_later(pause, move |actor, _| _ = actor.busy.remove(&shard));
            }));
        }
    }
}

/// One round of one source shard.
struct Round {
    handle: Arc<NodeHandle>,
    clients: Arc<Clients>,
    leaders: BTreeMap<ShardId, NodeId>,
}

impl Round {
    /// Returns how far it came, and what it learned about leaders.
    async fn run(self, source: ShardId, mut delivery: Delivery) -> (Delivery, Vec<(ShardId, NodeId)>) {
        let layout = &self.handle.layout;
        let mut learned = Vec::new();
        let mut sent_pages = 0;
        delivery.begin();
        while sent_pages < PAGES && self.handle.board.leads(source) {
            let page = self.page(source, delivery.read()).await;
            if page.is_empty() {
                break;
            }
            let parts = delivery.parts(layout, &page);
            sent_pages += usize::from(!parts.is_empty());
            let sent = join_all(parts.into_iter().map(|(shard, items)| self.deliver(shard, items))).await;
            let (arrived, leaders): (Vec<_>, Vec<_>) = sent.into_iter().unzip();
            let acknowledged: Vec<ShardId> = arrived.into_iter().flatten().collect();
            delivery.settle(layout, &page, &acknowledged);
            learned.extend(leaders.into_iter().flatten());
        }
        self.trim(source, delivery.marks()).await;
        (delivery, learned)
    }

    /// The next items after those read; read on the pool, because the store may block.
    async fn page(&self, source: ShardId, after: Option<(Slot, u64)>) -> Vec<OutboxItem> {
        let Some(replica) = self.handle.replicas.get(source) else {
            return Vec::new();
        };
        let (view, items) = (replica.view(), PAGE.min(self.handle.max_batch_items));
        let (done, page) = oneshot::channel();
        self.handle.env.spawn.compute(Box::new(move || {
            // Nobody waits any more when the node stops.
            let _ = done.send(view.outbox(after, items));
        }));
        match page.await {
            Ok(Ok(page)) => page,
            Ok(Err(error)) => {
                tracing::error!(shard = source.0, %error, "the outbox cannot be read");
                Vec::new()
            }
            Err(_) => Vec::new(),
        }
    }

    /// If a trim is lost, the items are delivered again and ignored.
    async fn trim(&self, source: ShardId, marks: Vec<OutboxMark>) {
        let Some(replica) = self.handle.replicas.get(source) else {
            return;
        };
        for part in marks.chunks(PAGE.min(self.handle.max_batch_items)) {
            let deadline = self.handle.env.clock.monotonic().plus(DEADLINE);
            let trim = ShardCommand::TrimOutbox(part.to_vec());
            if let Err(error) = self.handle.write(source, replica.applied().epoch, trim, deadline).await {
                tracing::debug!(shard = source.0, %error, "outbox trim put off");
                return;
            }
        }
    }

    /// The shard if it has acknowledged, and its leader if it was learned.
    async fn deliver(&self, shard: ShardId, items: Vec<OutboxItem>) -> (Option<ShardId>, Option<(ShardId, NodeId)>) {
        let Some((epoch, nodes)) = self.handle.whereabouts(shard) else {
            return (None, None);
        };
        let hint = || self.handle.board.get(shard).and_then(|status| status.leader);
        let answered = self.leaders.get(&shard).copied();
        let Some(mut to) = answered.or_else(hint).or(nodes.first().copied()) else {
            return (None, None);
        };
        // Once at the last known leader, once at the one it names; then the next round goes where it was sent, or on to
        // another replica.
        let mut sent_on = false;
        for _ in 0..2 {
            sent_on = false;
            let Some(client) = self.clients.get(to) else { break };
            let command = ShardCommand::ApplyEffects(items.clone());
            let body = RequestBody::Write { shard, epoch, command };
            match ask(&client, DEADLINE, body).await {
                // An item that another shard owns now is not delivered; nor is anything that was sent with it.
                Ok(ReplyBody::Write(Ok(reply))) if !reply.results.contains(&ItemResult::StaleEpoch) => {
                    return (Some(shard), Some((shard, to)));
                }
                Ok(ReplyBody::Write(Err(ShardError::NotLeader { hint: Some(hint) }))) => (to, sent_on) = (hint, true),
                Ok(_) | Err(_) => break,
            }
        }
        if sent_on {
            return (None, Some((shard, to)));
        }
        // It may have left all of those that are known here: any replica names the leader.
        let all: Vec<NodeId> = nodes
            .iter()
            .copied()
            .chain(self.clients.ids().into_iter().filter(|node| !nodes.contains(node)))
            .collect();
        let next = all.iter().position(|node| *node == to).map_or(0, |at| at + 1);
        (None, all.get(next).or(all.first()).map(|node| (shard, *node)))
    }
}
