//! The shard actor: one per replica. It lets a read through once the replica has applied what the caller has seen,
//! bounds how many run, and hands them to the search pool. It never waits behind apply.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix::{Actor, Context, Handler, Message, ResponseFuture};
use arc_swap::ArcSwap;
use covey_env::{Env, Monotonic, watch};
use covey_shard::{Read as ViewRead, ShardStoreError, ShardView};
use covey_shared::ids::{LogIndex, ReplicaId};
use covey_shared::wire::{About, NotReady, ShardError, ShardRead, ShardReply};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tracing::Instrument;

use crate::board::Board;
use crate::raft::GroupStatus;

/// What is run on the view. The second argument says whether to stop: the deadline passed or nobody waits any more.
pub(crate) type Work<T> = Box<dyn FnOnce(&ShardView, &dyn Fn() -> bool) -> Result<ViewRead<T>, ShardStoreError> + Send>;

/// Sent by the call server: run this on the replica's view and say how fresh it is. Repeatable: it changes nothing.
pub(crate) struct Read<T> {
    /// What the caller accepts.
    pub(crate) accept: ShardRead,
    /// When the caller stops waiting.
    pub(crate) deadline: Monotonic,
    /// What to run.
    pub(crate) work: Work<T>,
    /// Span of the attempt: spans do not cross mailboxes by themselves.
    pub(crate) span: tracing::Span,
}

impl<T: Send + 'static> Message for Read<T> {
    type Result = ShardReply<T>;
}

/// Everything a replica's reads need.
#[derive(Clone)]
pub(crate) struct ReplicaDeps {
    pub(crate) env: Env,
    pub(crate) me: ReplicaId,
    pub(crate) view: Arc<ArcSwap<ShardView>>,
    pub(crate) applied: watch::Receiver<LogIndex>,
    pub(crate) board: Arc<Board>,
    /// Shared by all replicas of the node: how many reads run or wait for the pool.
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) mailbox: usize,
}

impl ReplicaDeps {
    /// Of this replica, not of one that came after it.
    fn status(&self) -> Option<GroupStatus> {
        let status = self.board.get(self.me.shard());
        status.filter(|status| status.replica == self.me)
    }
}

/// One replica.
pub(crate) struct ShardActor {
    deps: ReplicaDeps,
}

impl ShardActor {
    pub(crate) fn new(deps: ReplicaDeps) -> Self {
        ShardActor { deps }
    }
}

impl Actor for ShardActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(self.deps.mailbox);
    }
}

impl<T: Send + 'static> Handler<Read<T>> for ShardActor {
    type Result = ResponseFuture<ShardReply<T>>;

    fn handle(&mut self, read: Read<T>, _: &mut Self::Context) -> Self::Result {
        let span = read.span.clone();
        Box::pin(answer(self.deps.clone(), read).instrument(span))
    }
}

async fn answer<T: Send + 'static>(deps: ReplicaDeps, read: Read<T>) -> ShardReply<T> {
    let arrived = deps.env.clock.monotonic();
    let accept = read.accept;
    let mut timing = Timing::default();
    let admitted = admit(&deps, &read.accept, read.deadline).await;
    // All of this is taken before the read: it sees at least this.
    let (applied, view) = (deps.applied.get(), deps.view.load_full());
    let known = view.applied();
    let (fresh_as_of, outcome) = match admitted {
        Ok((permit, fresh_as_of)) => {
            let outcome = run(&deps, view, (read, permit), arrived, &mut timing).await;
            (fresh_as_of, outcome)
        }
        Err(error) => (None, Err(error)),
    };
    let (result, visited, partial, damaged) = match outcome {
        Ok(read) => (Ok(read.value), read.visited, read.partial, read.damaged),
        Err(error) => (Err(error), 0, false, 0),
    };
    ShardReply {
        about: About {
            shard: accept.shard,
            epoch: known.epoch,
            slots: known.slots,
            applied,
            staleness_ms: age_ms(&deps, fresh_as_of),
            partial,
            visited,
            queue_us: micros(timing.queued),
            work_us: micros(timing.worked),
        },
        result,
        damaged,
    }
}

#[derive(Default)]
struct Timing {
    queued: Duration,
    worked: Duration,
}

fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
}

/// Waits until the replica has what the caller has seen and a permit is free: that, and the moment that its state is at least as new as.
async fn admit(
    deps: &ReplicaDeps,
    accept: &ShardRead,
    deadline: Monotonic,
) -> Result<(OwnedSemaphorePermit, Option<Monotonic>), ShardError> {
    let current = deps.view.load().epoch();
    if accept.range_ver != current.range_ver {
        return Err(ShardError::StaleEpoch { current });
    }
    // Without a place in its group it may hold nothing, or what is long gone.
    match deps.status() {
        None => return Err(ShardError::NotReady(NotReady::Starting)),
        Some(group) if group.frozen => return Err(ShardError::NotReady(NotReady::Rebuilding)),
        Some(_) => {}
    }
    let left = || deadline.left(deps.env.clock.monotonic());
    if deps.applied.get() < accept.min_index {
        let caught_up = deps.applied.wait_for(|index| index >= accept.min_index);
        match tokio::time::timeout(left(), caught_up).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => return Err(ShardError::NotReady(NotReady::Behind)),
        }
    }
    let permit = match tokio::time::timeout(left(), deps.permits.clone().acquire_owned()).await {
        Ok(Ok(permit)) => permit,
        Ok(Err(_)) => return Err(ShardError::NotReady(NotReady::Starting)),
        Err(_) => return Err(ShardError::DeadlineExceeded),
    };
    let fresh_as_of = deps.status().and_then(|group| group.fresh_as_of);
    match accept.max_age_ms {
        Some(most) if age_ms(deps, fresh_as_of) > most => Err(ShardError::NotReady(NotReady::Stale)),
        _ => Ok((permit, fresh_as_of)),
    }
}

/// The longest that is known to lie between now and `as_of`; `u32::MAX` if nothing is known.
fn age_ms(deps: &ReplicaDeps, as_of: Option<Monotonic>) -> u32 {
    let age = as_of.map_or(Duration::MAX, |at| deps.env.clock.monotonic().since(at));
    u32::try_from(age.as_millis()).unwrap_or(u32::MAX)
}

/// Runs the work on the pool; when the caller goes away or the deadline passes, the work is told to stop. The permit goes
/// with the work, so that no more jobs are in line than there are permits, whoever has gone away.
async fn run<T: Send + 'static>(
    deps: &ReplicaDeps,
    view: Arc<ShardView>,
    (read, permit): (Read<T>, OwnedSemaphorePermit),
    arrived: Monotonic,
    timing: &mut Timing,
) -> Result<ViewRead<T>, ShardError> {
    let stop = StopOnDrop(Arc::new(AtomicBool::new(false)));
    let (stopped, clock) = (stop.0.clone(), deps.env.clock.clone());
    let (done, outcome) = oneshot::channel();
    let deadline = read.deadline;
    let (work, span) = (read.work, read.span);
    deps.env.spawn.compute(Box::new(move || {
        let _entered = span.enter();
        let began = clock.monotonic();
        let cancelled = || stopped.load(Ordering::Relaxed) || clock.monotonic() > deadline;
        let result = match cancelled() {
            true => Err(ShardError::DeadlineExceeded),
            false => work(&view, &cancelled).map_err(shard_error),
        };
        drop(permit);
        // Nobody may be waiting any more.
        let _ = done.send((result, began, clock.monotonic()));
    }));
    let left = deadline.left(deps.env.clock.monotonic());
    match tokio::time::timeout(left, outcome).await {
        Ok(Ok((result, began, ended))) => {
            *timing = Timing {
                queued: began.since(arrived),
                worked: ended.since(began),
            };
            result
        }
        Ok(Err(_)) | Err(_) => Err(ShardError::DeadlineExceeded),
    }
}

struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn shard_error(error: ShardStoreError) -> ShardError {
    match error {
        ShardStoreError::Invalid(reason) => ShardError::Invalid(reason),
        error => {
            tracing::error!(%error, "a read of the store failed");
            ShardError::Store
        }
    }
}
