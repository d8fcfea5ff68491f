//! The way to the apply workers: shards are pinned to lanes, whether or not they are here.

use std::sync::Arc;
use std::time::Duration;

use covey_embeddings::{DamagedRow, Repaired};
use covey_shard::{ShardCheckpoint, WrittenCheckpoint};
use covey_shared::ids::{LogIndex, ShardId};
use covey_shared::model::F16Vector;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::raft::ApplyTask;
use crate::snapshot::Arrival;

/// Replicas of one node at most: one of each shard, and of the metadata. A lane may have to take jobs of all of them.
pub(crate) const MAX_REPLICAS: usize = 1025;
/// Jobs that wait in a lane at most: entries, an arrival and the end of each shard, one for a checkpoint and one repair.
const WAITING: usize = 3 * MAX_REPLICAS + 2;
/// Time for the worker to take a repair up, and again to answer.
const REPAIR_DEADLINE: Duration = Duration::from_secs(30);

/// What has begun of a checkpoint, by shard.
pub(super) type Begun = Vec<(ShardId, ShardCheckpoint)>;
/// What of a checkpoint is on disk, by shard.
pub(super) type Written = Vec<(ShardId, WrittenCheckpoint)>;
/// What each shard has applied when its checkpoint is finished.
pub(super) type Finished = Vec<(ShardId, LogIndex)>;
/// The input of a worker.
pub(crate) type Jobs = mpsc::Receiver<Job>;

/// A job for the worker of a shard.
#[derive(Debug)]
pub(crate) enum Job {
    /// Committed entries; at most one per shard is on its way.
    Apply(ApplyTask),
    /// A replica built from a snapshot takes the place of what is there, or is a new one; at most one per shard is on its way.
    Install(Box<Arrival>),
    /// A replica is gone: its store is closed. At most one per shard is on its way.
    Destroy(ShardId),
    /// Copies of damaged vectors; at most one is on its way.
    Repair(Repair),
    /// The two ends of a checkpoint; at most one is on its way.
    Begin(oneshot::Sender<Begun>),
    Finish(Written, oneshot::Sender<Finished>),
}

/// Copies of damaged vectors of a shard, and who waits for what becomes of them.
#[derive(Debug)]
pub(crate) struct Repair {
    pub(super) shard: ShardId,
    pub(super) copies: Vec<(DamagedRow, F16Vector)>,
    pub(super) reply: oneshot::Sender<Vec<Repaired>>,
    /// Given back when the worker takes the job up.
    _place: OwnedSemaphorePermit,
}

/// The way to one worker.
#[derive(Clone)]
pub(crate) struct Lane {
    jobs: mpsc::Sender<Job>,
    /// Room for one repair.
    repairs: Arc<Semaphore>,
}

impl Lane {
    /// `None` when the node stops. Only the checkpointer calls this and the next.
    pub(crate) async fn begin_checkpoint(&self) -> Option<Begun> {
        let (reply, begun) = oneshot::channel();
        self.jobs.send(Job::Begin(reply)).await.ok()?;
        begun.await.ok()
    }

    /// `None` when the node stops.
    pub(crate) async fn finish_checkpoint(&self, written: Written) -> Option<Finished> {
        let (reply, finished) = oneshot::channel();
        self.jobs.send(Job::Finish(written, reply)).await.ok()?;
        finished.await.ok()
    }
}

/// The way to all workers.
#[derive(Clone)]
pub(crate) struct ApplyLanes(Vec<Lane>);

impl ApplyLanes {
    /// So many lanes, at least one, and the input of each one's worker.
    pub(crate) fn new(workers: usize) -> (ApplyLanes, Vec<Jobs>) {
        let lane = |_| {
            let (jobs, input) = mpsc::channel(WAITING);
            let repairs = Arc::new(Semaphore::new(1));
            (Lane { jobs, repairs }, input)
        };
        let (lanes, inputs) = (0..workers.max(1)).map(lane).unzip();
        (ApplyLanes(lanes), inputs)
    }

    /// The lanes one by one.
    pub(crate) fn all(&self) -> &[Lane] {
        &self.0
    }

    /// Number of the lane of a shard, always the same.
    pub(crate) fn number(&self, shard: ShardId) -> usize {
        (shard.0 % self.0.len() as u64) as usize
    }

    /// Hands over committed entries.
    pub(crate) fn submit(&self, task: ApplyTask) {
        self.send(task.shard, Job::Apply(task));
    }

    /// Hands over a replica that was built from a snapshot.
    pub(crate) fn install(&self, arrival: Arrival) {
        self.send(arrival.shard, Job::Install(Box::new(arrival)));
    }

    /// Has the store of a replica that is gone closed, after what was handed over before.
    pub(crate) fn destroy(&self, shard: ShardId) {
        self.send(shard, Job::Destroy(shard));
    }

    /// Puts copies in the place of damaged vectors, and tells what became of each. `None` when the node stops, the replica is
    /// gone, or the worker is busy for long.
    pub(crate) async fn repair(&self, shard: ShardId, copies: Vec<(DamagedRow, F16Vector)>) -> Option<Vec<Repaired>> {
        let repairs = self.0[self.number(shard)].repairs.clone();
        let place = tokio::time::timeout(REPAIR_DEADLINE, repairs.acquire_owned()).await;
        let (reply, repaired) = oneshot::channel();
        let repair = Repair {
            shard,
            copies,
            reply,
            _place: place.ok()?.ok()?,
        };
        self.send(shard, Job::Repair(repair));
        tokio::time::timeout(REPAIR_DEADLINE, repaired).await.ok()?.ok()
    }

    /// There is always room: see [`WAITING`].
    fn send(&self, shard: ShardId, job: Job) {
        match self.0[self.number(shard)].jobs.try_send(job) {
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
            Err(mpsc::error::TrySendError::Full(_)) => panic!("an apply lane has room for all jobs of its shards"),
        }
    }
}

#[cfg(test)]
#[path = "lanes_test.rs"]
mod tests;
