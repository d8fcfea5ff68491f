//! Maintenance: checkpoints, retention trims, looks at the disk and checks of replicas, on timers. The work itself runs elsewhere.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, fut};
use covey_shared::command::ShardCommand;
use covey_shared::ids::UnixMillis;

use crate::checkpointer::Checkpoints;
use crate::disk_room::DiskWatch;
use crate::disk_stalls::StallWatch;
use crate::replicas::Replica;
use crate::server::NodeHandle;
use crate::verify::Rounds;

/// How long a trim may take to be replicated; the next one goes on where it stopped.
const TRIM_DEADLINE: Duration = Duration::from_secs(30);
/// Pause between looks at the disk: at 1 GB/s a twentieth of 100 GB is filled in just that time.
const DISK_LOOK: Duration = Duration::from_secs(5);
/// Pause between looks at what the log writer noted, which cost next to nothing: half of a stall that counts by itself.
const STALL_LOOK: Duration = Duration::from_secs(1);

/// When to do what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MaintenancePlan {
    /// Pause between checkpoints.
    pub(crate) checkpoint: Duration,
    /// Pause between trims.
    pub(crate) trim: Duration,
    /// Age at which posts expire; `None` = never.
    pub(crate) retention: Option<Duration>,
    /// A trim advances by at most this: a wrong clock drops little before somebody notices.
    pub(crate) trim_step: Duration,
    /// Messages that wait in the mailbox.
    pub(crate) mailbox: usize,
}

/// Drives the timers.
pub(crate) struct MaintenanceActor {
    pub(crate) plan: MaintenancePlan,
    pub(crate) checkpoints: Checkpoints,
    pub(crate) disk: DiskWatch,
    pub(crate) stalls: StallWatch,
    pub(crate) handle: Arc<NodeHandle>,
    /// `None`: replicas are never compared.
    pub(crate) rounds: Option<Rounds>,
}

impl Actor for MaintenanceActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(self.plan.mailbox);
        ctx.run_interval(self.plan.checkpoint, |actor, _| actor.checkpoints.ask());
        self.disk.look(self.handle.clone());
        ctx.run_interval(DISK_LOOK, |actor, _| {
            actor.disk.look(actor.handle.clone());
            actor.handle.snapshots.expire();
        });
        ctx.run_interval(STALL_LOOK, |actor, _| actor.stalls.look(&actor.handle));
        if let Some(rounds) = self.rounds.take() {
            ctx.spawn(fut::wrap_future(rounds.run()));
        }
        if let Some(retention) = self.plan.retention {
            ctx.spawn(fut::wrap_future(trims(self.handle.clone(), self.plan, retention)));
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// How far a trim goes: to `wanted`, but by at most a `step` beyond what was trimmed or, if that is later, beyond the oldest
/// record. So a clock that is wrong drops little before somebody notices, and time without posts costs no trims. `None`:
/// there is nothing to drop.
fn trim_to(wanted: UnixMillis, trimmed: UnixMillis, oldest: Option<UnixMillis>, step: Duration) -> Option<UnixMillis> {
    let from = trimmed.max(oldest?);
    let before = wanted.0.min(from.0.saturating_add(millis(step)));
    (before > trimmed.0).then_some(UnixMillis(before))
}

/// One round after another: a round that takes longer than the pause is not overtaken by the next.
async fn trims(handle: Arc<NodeHandle>, plan: MaintenancePlan, retention: Duration) {
    loop {
        tokio::time::sleep(plan.trim).await;
        let mut behind = handle.replicas.all();
        // In turns: a shard with much to remove does not keep the others waiting.
        while !behind.is_empty() {
            let mut left = Vec::new();
            for replica in behind {
                if trim(&handle, &replica, (retention, plan.trim_step)).await {
                    left.push(replica);
                }
            }
            behind = left;
        }
    }
}

/// The leader proposes what its followers then drop too: apply itself never reads a clock. Whether a trim removed as much
/// as one may, and there is more.
async fn trim(handle: &NodeHandle, replica: &Replica, (retention, step): (Duration, Duration)) -> bool {
    let (shard, view) = (replica.shard, replica.view());
    if !handle.board.leads(shard) {
        return false;
    }
    let wanted = handle.env.clock.unix_ms().saturating_sub(millis(retention));
    let (trimmed, oldest) = (view.applied().trimmed_before, view.oldest_due());
    let again = view.trim_behind().then_some(trimmed);
    let Some(before) = again.or_else(|| trim_to(UnixMillis(wanted), trimmed, oldest, step)) else {
        return false;
    };
    let deadline = handle.env.clock.monotonic().plus(TRIM_DEADLINE);
    if let Err(error) = handle
        .write(shard, view.epoch(), ShardCommand::TrimBefore(before), deadline)
        .await
    {
        tracing::info!(shard = shard.0, %error, "trim put off to the next round");
        return false;
    }
    replica.view().trim_behind()
}

#[cfg(test)]
#[path = "maintenance_test.rs"]
mod tests;
