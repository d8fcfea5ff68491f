//! The Raft actor: the shell around [`Engine`]. Every message marks the engine and schedules one drive, so that a
//! full mailbox costs one drive.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, Handler, Message};
use covey_env::{Env, Monotonic};
use covey_shared::ids::{LogIndex, ShardEpoch, ShardId};
use covey_shared::members::MemberChange;
use covey_shared::wire::{RaftMessage, RaftMessageKind, ReplicaRole, ShardError, WriteReply};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use super::arrivals::Arrivals;
use super::engine::Dropped;
use super::{AppendTask, Effects, Engine, GroupStart, Ticket};
use crate::apply::ApplyLanes;
use crate::board::Board;
use crate::completions::{Completion, Completions};
use crate::peers::Peers;
use crate::replicas::ReplicaSet;
use crate::snapshot::{Pulls, Want};
use crate::startup::Observer;

/// Sent by the log writer and the apply workers, and to itself: work through whatever has changed. Repeatable.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Drive;

/// Sent by the call server: replicate this in a group that this node leads. Not repeated by us; the caller may, because
/// items are idempotent.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Propose {
    pub(crate) shard: ShardId,
    /// Epoch in the caller's map.
    pub(crate) epoch: ShardEpoch,
    /// An encoded [`covey_shared::command::Proposal`].
    pub(crate) data: Vec<u8>,
    /// Gets the outcome once it is applied here, or why there is none.
    pub(crate) reply: oneshot::Sender<Result<WriteReply, ShardError>>,
}

/// Sent by the call server: change the members of a group that this node leads. Repeatable: a change names the version that it
/// was made for.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct ChangeMembers {
    pub(crate) shard: ShardId,
    pub(crate) change: MemberChange,
    /// As of [`Propose`].
    pub(crate) reply: oneshot::Sender<Result<WriteReply, ShardError>>,
}

/// Sent by the Raft stream of one peer, in order.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Inbound(pub(crate) Vec<RaftMessage>);

/// Asked by `/debug/actors`.
#[derive(Message)]
#[rtype(result = "Observed")]
pub(crate) struct Observe;

/// What the actor says of itself.
#[derive(Debug, Serialize, actix::MessageResponse)]
pub(crate) struct Observed {
    pub(crate) groups: usize,
    pub(crate) leads: usize,
    pub(crate) open_proposals: usize,
    pub(crate) drives: u64,
    pub(crate) dropped: Dropped,
}

/// Everything the actor needs from the rest of the node.
pub(crate) struct RaftDeps {
    pub(crate) env: Env,
    pub(crate) engine: Engine,
    pub(crate) log: mpsc::Sender<Vec<AppendTask>>,
    pub(crate) apply: ApplyLanes,
    pub(crate) peers: Peers,
    pub(crate) completions: Completions,
    pub(crate) board: Arc<Board>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) tick: Duration,
    pub(crate) replicas: Arc<ReplicaSet>,
    /// Replicas that are being built from snapshots.
    pub(crate) pulls: Arc<Pulls>,
    pub(crate) max_catch_up_ticks: usize,
    pub(crate) mailbox: usize,
}

/// Owns all Raft groups of the node.
pub(crate) struct RaftActor {
    pub(super) deps: RaftDeps,
    waiting: BTreeMap<Ticket, oneshot::Sender<Result<WriteReply, ShardError>>>,
    arrivals: Arrivals,
    next_ticket: u64,
    drive_scheduled: bool,
    drives: u64,
    last_tick: Monotonic,
    /// Ticks in a row that came too early, because earlier ones were late.
    made_up: usize,
}

impl RaftActor {
    pub(crate) fn new(deps: RaftDeps) -> Self {
        RaftActor {
            deps,
            waiting: BTreeMap::new(),
            arrivals: Arrivals::default(),
            next_ticket: 0,
            drive_scheduled: false,
            drives: 0,
            last_tick: Monotonic::default(),
            made_up: 0,
        }
    }

    pub(super) fn schedule(&mut self, ctx: &mut Context<Self>) {
        if !self.drive_scheduled {
            self.drive_scheduled = true;
            ctx.notify(Drive);
        }
    }

    /// After a stall the timer fires once for every tick that was missed; most of them are skipped, or they would start
    /// an election before the heartbeats that wait in the mailbox are read.
    fn tick(&mut self, ctx: &mut Context<Self>) {
        let now = self.deps.env.clock.monotonic();
        if now.since(self.last_tick) < self.deps.tick / 2 {
            self.made_up += 1;
        } else {
            self.made_up = 0;
        }
        self.last_tick = now;
        if self.made_up > self.deps.max_catch_up_ticks {
            return;
        }
        let entropy = self.deps.env.entropy.clone();
        self.deps.engine.tick(|| (entropy.next_u64() >> 1) as usize);
        self.schedule(ctx);
    }

    fn drive(&mut self) {
        self.drives += 1;
        let (began, mut effects) = (self.deps.env.clock.monotonic(), Effects::default());
        self.take_completions(&mut effects);
        // Without room in the log nothing may be collected: a ready that is taken must be persisted in order.
        if let Ok(room) = self.deps.log.clone().try_reserve_owned() {
            self.arrivals.offer(&mut self.deps);
            let changed = self.deps.engine.collect(&mut effects);
            if !effects.append.is_empty() {
                room.send(std::mem::take(&mut effects.append));
            }
            self.publish(changed);
        }
        self.deps.engine.stamp(&mut effects.send, began);
        self.dispatch(effects);
        self.arrivals.settle(&mut self.deps);
        self.answer();
    }

    fn take_completions(&mut self, effects: &mut Effects) {
        for completion in self.deps.completions.take() {
            match completion {
                Completion::Persisted {
                    readies,
                    live_bytes,
                    pinned_by,
                } => {
                    self.deps.board.set_log_bytes(live_bytes);
                    if let Some((shard, pressing)) = pinned_by {
                        self.deps.engine.unpin(shard, pressing);
                    }
                    let entropy = self.deps.env.entropy.clone();
                    let random = || (entropy.next_u64() >> 1) as usize;
                    self.deps.engine.persisted(&readies, effects, random);
                }
                Completion::Applied(task) => self.deps.engine.applied(task),
                Completion::Checkpointed { shard, index } => self.deps.engine.checkpointed(shard, index),
                Completion::Arrived(arrival) => {
                    let now = self.deps.env.clock.monotonic();
                    self.arrivals.add(*arrival, now);
                }
                Completion::New { descriptor, hard_state } => {
                    let shard = descriptor.shard;
                    self.deps.engine.begin(shard, GroupStart::new(descriptor, hard_state));
                }
                Completion::Gone(shard) => self.deps.engine.remove(shard),
                Completion::Destroyed { shard, replaced } => self.deps.pulls.retire(shard, replaced),
                Completion::Hold { shard, index } => self.deps.engine.hold(shard, index),
                Completion::Differs(shard) => self.deps.engine.freeze(shard),
                Completion::Installed { shard, index, replaced } => {
                    self.arrivals.installed(shard, index, replaced, &mut self.deps);
                }
            }
        }
    }

    fn dispatch(&mut self, mut effects: Effects) {
        let now = self.deps.env.clock.monotonic();
        if !effects.send.is_empty() {
            let unfit = self.deps.board.unfit(now);
            effects.send.iter_mut().for_each(|(_, message)| message.unfit = unfit);
        }
        for (shard, to) in self.deps.peers.send(effects.send) {
            self.deps.engine.unreachable(shard, to);
        }
        for task in effects.apply {
            self.deps.apply.submit(task);
        }
        for (shard, at_least) in effects.damaged {
            self.deps.pulls.want(shard, Want::Damaged(LogIndex(at_least)), now);
        }
        for (me, from) in effects.strangers {
            self.deps.pulls.want(me.shard(), Want::Join { me, from }, now);
        }
        for (shard, index) in effects.install {
            self.deps.apply.install(self.arrivals.take(shard, index));
        }
    }

    fn publish(&self, changed: Vec<ShardId>) {
        let now = self.deps.env.clock.monotonic();
        for shard in changed {
            let Some(status) = self.deps.engine.status(shard, now) else {
                continue;
            };
            if let Some(observer) = self
                .deps
                .observer
                .as_ref()
                .filter(|_| status.role == ReplicaRole::Leader)
            {
                observer.leads(shard, status.term);
            }
            self.deps.board.publish(shard, status);
        }
    }

    fn answer(&mut self) {
        for (ticket, outcome) in self.deps.engine.take_answers() {
            if let Some(reply) = self.waiting.remove(&ticket) {
                // The caller may have given up; the write stands.
                let _ = reply.send(outcome);
            }
        }
    }

    pub(super) fn ticket(&mut self, reply: oneshot::Sender<Result<WriteReply, ShardError>>) -> Ticket {
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        self.waiting.insert(ticket, reply);
        ticket
    }

    fn random(&self) -> usize {
        (self.deps.env.entropy.next_u64() >> 1) as usize
    }
}

impl Actor for RaftActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(self.deps.mailbox);
        self.deps.completions.attach(ctx.address().recipient());
        ctx.run_interval(self.deps.tick, |actor, ctx| actor.tick(ctx));
        self.schedule(ctx);
    }
}

impl Handler<Drive> for RaftActor {
    type Result = ();

    fn handle(&mut self, _: Drive, _: &mut Self::Context) {
        self.drive_scheduled = false;
        self.drive();
    }
}

impl Handler<Inbound> for RaftActor {
    type Result = ();

    fn handle(&mut self, Inbound(messages): Inbound, ctx: &mut Self::Context) {
        let now = self.deps.env.clock.monotonic();
        let declines = self.deps.board.declines();
        for message in messages {
            // Without an answer the leader offers it to another one.
            if declines && message.kind == RaftMessageKind::TimeoutNow {
                continue;
            }
            let random = self.random();
            self.deps.engine.step(message, now, random);
        }
        self.schedule(ctx);
    }
}

impl Handler<Propose> for RaftActor {
    type Result = ();

    fn handle(&mut self, message: Propose, ctx: &mut Self::Context) {
        let ticket = self.ticket(message.reply);
        self.deps
            .engine
            .propose(message.shard, message.epoch, message.data, ticket);
        self.schedule(ctx);
    }
}

impl Handler<ChangeMembers> for RaftActor {
    type Result = ();

    fn handle(&mut self, message: ChangeMembers, ctx: &mut Self::Context) {
        let ticket = self.ticket(message.reply);
        self.deps.engine.change_members(message.shard, &message.change, ticket);
        self.schedule(ctx);
    }
}

impl Handler<Observe> for RaftActor {
    type Result = Observed;

    fn handle(&mut self, _: Observe, _: &mut Self::Context) -> Observed {
        let now = self.deps.env.clock.monotonic();
        let statuses = self.deps.engine.statuses(now);
        Observed {
            groups: statuses.len(),
            leads: statuses.iter().filter(|(_, s)| s.role == ReplicaRole::Leader).count(),
            open_proposals: self.waiting.len(),
            drives: self.drives,
            dropped: self.deps.engine.dropped(),
        }
    }
}
