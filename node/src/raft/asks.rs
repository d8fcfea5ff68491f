//! What the rest of the node asks of the Raft actor, or has it do, apart from the log itself.

use actix::{Context, Handler, Message};
use covey_shared::ids::{NodeId, ShardEpoch, ShardId};
use covey_shared::wire::{ShardError, ShardReport, WriteReply};
use tokio::sync::oneshot;

use super::HandTo;
use super::actor::RaftActor;

/// Sent by the call server: what is known of a shard's members. `None` while the replica takes no part.
#[derive(Message)]
#[rtype(result = "Option<ShardReport>")]
pub(crate) struct Report {
    pub(crate) shard: ShardId,
}

/// Sent by the call server: what is known of all shards' members, of those that take part.
#[derive(Message)]
#[rtype(result = "Vec<ShardReport>")]
pub(crate) struct Reports;

/// Sent after a look at a disk that is nearly full or slow: others should lead. Repeatable.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct HandOver(pub(crate) HandTo);

/// Sent by the call server: offer the leadership of a shard to that node. Says whether that is a new offer. Repeatable.
#[derive(Message)]
#[rtype(result = "Result<bool, ShardError>")]
pub(crate) struct Transfer {
    pub(crate) shard: ShardId,
    pub(crate) to: NodeId,
}

/// Sent by the call server: which index covers all that was acknowledged before. Repeatable.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct ReadIndex {
    pub(crate) shard: ShardId,
    /// Epoch in the caller's map.
    pub(crate) epoch: ShardEpoch,
    /// Gets it like the outcome of a write of nothing.
    pub(crate) reply: oneshot::Sender<Result<WriteReply, ShardError>>,
}

impl Handler<Report> for RaftActor {
    type Result = Option<ShardReport>;

    fn handle(&mut self, Report { shard }: Report, _: &mut Self::Context) -> Self::Result {
        self.deps.engine.report(shard)
    }
}

impl Handler<Reports> for RaftActor {
    type Result = Vec<ShardReport>;

    fn handle(&mut self, _: Reports, _: &mut Self::Context) -> Self::Result {
        self.deps.engine.reports()
    }
}

impl Handler<HandOver> for RaftActor {
    type Result = ();

    fn handle(&mut self, HandOver(to): HandOver, ctx: &mut Context<Self>) {
        let entropy = self.deps.env.entropy.clone();
        self.deps.engine.hand_over(to, || (entropy.next_u64() >> 1) as usize);
        self.schedule(ctx);
    }
}

impl Handler<Transfer> for RaftActor {
    type Result = Result<bool, ShardError>;

    fn handle(&mut self, Transfer { shard, to }: Transfer, ctx: &mut Context<Self>) -> Self::Result {
        let offered = self.deps.engine.transfer(shard, to);
        self.schedule(ctx);
        offered
    }
}

impl Handler<ReadIndex> for RaftActor {
    type Result = ();

    fn handle(&mut self, message: ReadIndex, ctx: &mut Context<Self>) {
        let ticket = self.ticket(message.reply);
        self.deps.engine.read_index(message.shard, message.epoch, ticket);
        self.schedule(ctx);
    }
}
