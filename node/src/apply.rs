//! Apply workers: each owns the stores of its shards and applies committed entries in order.
//!
//! They run on threads of their own, because the key-value store may block.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use covey_embeddings::{DamagedRow, Repaired};
use covey_shard::{
    EntryToApply, Incarnation, Payload, ShardCheckpoint, ShardStore, ShardStoreError, ShardView, WrittenCheckpoint,
};
use covey_shared::codec;
use covey_shared::command::{ItemResult, PROPOSAL_VERSION, Proposal, ShardCommand};
use covey_shared::ids::{LogIndex, ShardId, Term};
use covey_shared::model::F16Vector;
use covey_store::kv::KvStore;
use covey_store::log::{EntryKind, LogEntry};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use crate::completions::{Completion, Completions};
use crate::raft::{AppliedTask, ApplyTask};
use crate::set_aside::DamageWatch;
use crate::snapshot::Arrival;
use crate::startup::Observer;
use crate::verify::Hashes;

/// Time for the worker to take a repair up, and again to answer.
const REPAIR_DEADLINE: Duration = Duration::from_secs(30);

/// What has begun of a checkpoint, by shard.
type Begun = Vec<(ShardId, ShardCheckpoint)>;
/// What of a checkpoint is on disk, by shard.
type Written = Vec<(ShardId, WrittenCheckpoint)>;
/// What each shard has applied when its checkpoint is finished.
type Finished = Vec<(ShardId, LogIndex)>;

/// A job for the worker of a shard.
#[derive(Debug)]
enum Job {
    /// Committed entries; at most one per shard is on its way.
    Apply(ApplyTask),
    /// A replica built from a snapshot takes the place of what is there; at most one per shard is on its way.
    Install(Box<Arrival>),
    /// Copies of damaged vectors; at most one is on its way.
    Repair(Repair),
    /// The two ends of a checkpoint; at most one is on its way.
    Begin(oneshot::Sender<Begun>),
    Finish(Written, oneshot::Sender<Finished>),
}

/// Copies of damaged vectors of a shard, and who waits for what becomes of them.
#[derive(Debug)]
struct Repair {
    shard: ShardId,
    copies: Vec<(DamagedRow, F16Vector)>,
    reply: oneshot::Sender<Vec<Repaired>>,
    /// Given back when the worker takes the job up.
    _place: OwnedSemaphorePermit,
}

/// The input of one worker.
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

/// The way to the workers; shards are pinned to them.
#[derive(Clone)]
pub(crate) struct ApplyLanes {
    lanes: Vec<Lane>,
    by_shard: Arc<BTreeMap<ShardId, usize>>,
}

impl ApplyLanes {
    /// Spreads `shards` over `workers` lanes and returns, per lane, its shards and what its worker needs.
    pub(crate) fn new(shards: &[ShardId], workers: usize) -> (ApplyLanes, Vec<LaneInput>) {
        let workers = workers.clamp(1, shards.len().max(1));
        let mut lanes = Vec::new();
        let mut inputs = Vec::new();
        for worker in 0..workers {
            let mine: Vec<ShardId> = shards.iter().skip(worker).step_by(workers).copied().collect();
            let (jobs, input) = mpsc::channel(2 * mine.len() + 2);
            let repairs = Arc::new(Semaphore::new(1));
            lanes.push(Lane { jobs, repairs });
            inputs.push(LaneInput {
                shards: mine,
                jobs: input,
            });
        }
        let by_shard = inputs
            .iter()
            .enumerate()
            .flat_map(|(i, lane)| lane.shards.iter().map(move |s| (*s, i)));
        let by_shard = Arc::new(by_shard.collect());
        (ApplyLanes { lanes, by_shard }, inputs)
    }

    /// The lanes one by one.
    pub(crate) fn all(&self) -> &[Lane] {
        &self.lanes
    }

    /// Hands over committed entries.
    pub(crate) fn submit(&self, task: ApplyTask) {
        self.send(task.shard, Job::Apply(task));
    }

    /// Hands over a replica that was built from a snapshot.
    pub(crate) fn install(&self, arrival: Arrival) {
        self.send(arrival.shard, Job::Install(Box::new(arrival)));
    }

    /// Puts copies in the place of damaged vectors, and tells what became of each. `None` when the node stops, or the worker is
    /// busy for long.
    pub(crate) async fn repair(&self, shard: ShardId, copies: Vec<(DamagedRow, F16Vector)>) -> Option<Vec<Repaired>> {
        let repairs = self.lanes[self.by_shard[&shard]].repairs.clone();
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

    /// There is always room: a lane holds one job of each kind per shard, one of a checkpoint and one repair.
    fn send(&self, shard: ShardId, job: Job) {
        let lane = &self.lanes[self.by_shard[&shard]];
        match lane.jobs.try_send(job) {
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
            Err(mpsc::error::TrySendError::Full(_)) => panic!("an apply lane has room for all jobs of its shards"),
        }
    }
}

/// What one worker is made from.
pub(crate) struct LaneInput {
    pub(crate) shards: Vec<ShardId>,
    jobs: mpsc::Receiver<Job>,
}

/// One replica's store and where its applied index is published.
pub(crate) struct Applier {
    pub(crate) store: ShardStore,
    pub(crate) applied: watch::Sender<LogIndex>,
    /// What reads see.
    pub(crate) view: Arc<ArcSwap<ShardView>>,
}

/// A thread's worth of replicas.
pub(crate) struct ApplyWorker {
    pub(crate) shards: BTreeMap<ShardId, Applier>,
    pub(crate) lane: LaneInput,
    pub(crate) kv: Arc<dyn KvStore>,
    pub(crate) done: Completions,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) damage: DamageWatch,
    pub(crate) hashes: Arc<Hashes>,
}

impl ApplyWorker {
    /// Works until the input closes. An entry that cannot be applied ends the process: replicas must not diverge.
    pub(crate) async fn run(mut self) {
        while let Some(job) = self.lane.jobs.recv().await {
            match job {
                Job::Apply(task) => self.apply(task),
                // Nobody waits for an answer any more when the node stops.
                Job::Begin(reply) => _ = reply.send(self.begin_checkpoint()),
                Job::Finish(written, reply) => _ = reply.send(self.finish_checkpoint(written)),
                Job::Install(arrival) => self.install(*arrival),
                Job::Repair(repair) => self.repair(repair),
            }
        }
    }

    fn apply(&mut self, task: ApplyTask) {
        let applier = self
            .shards
            .get_mut(&task.shard)
            .expect("tasks are routed to the worker that owns the shard");
        let positions: Vec<(u64, u64)> = task.entries.iter().map(|e| (e.index, e.term)).collect();
        if let Some(observer) = &self.observer {
            task.entries
                .iter()
                .for_each(|entry| observer.applied(task.shard, entry));
        }
        let entries: Vec<EntryToApply> = task.entries.into_iter().map(|e| decode(task.shard, e)).collect();
        let results = match apply(&mut applier.store, task.shard, &entries, &self.hashes) {
            Ok(results) => results,
            Err(error) => {
                if !self.damage.note(&error) && error.is_damage() {
                    // The next start has it built anew; without this it would meet the same record again.
                    let _ = applier.store.view().condemn();
                }
                let error = anyhow::Error::new(error);
                panic!("shard {}: a committed entry cannot be applied: {error:#}", task.shard)
            }
        };
        let index = positions.last().map_or(0, |(index, _)| *index);
        applier.applied.send_replace(LogIndex(index));
        let results = positions
            .into_iter()
            .zip(results)
            .map(|((i, t), r)| (i, t, r))
            .collect();
        self.done.push(Completion::Applied(AppliedTask {
            shard: task.shard,
            index,
            results,
        }));
    }

    /// The store changes before the log does: a crash in between is known by what [`Incarnation`] says.
    fn install(&mut self, arrival: Arrival) {
        let Arrival {
            shard,
            store,
            generation,
            fetched,
            ..
        } = arrival;
        let applier = self
            .shards
            .get_mut(&shard)
            .expect("a snapshot is routed to the worker that owns the shard");
        if let Err(error) = Incarnation::switch(&*self.kv, shard, generation) {
            panic!(
                "shard {shard}: the snapshot cannot be made the replica: {:#}",
                anyhow::Error::new(error)
            );
        }
        let index = fetched.at.index;
        applier.store = *store;
        self.hashes.forget(shard);
        let replaced = Arc::downgrade(&applier.view.swap(applier.store.view()));
        applier.applied.send_replace(LogIndex(index));
        tracing::info!(shard = shard.0, index, "the replica goes on from a snapshot");
        if let Some(observer) = &self.observer {
            observer.installed(shard, index);
        }
        self.done.push(Completion::Installed { shard, index, replaced });
    }

    fn repair(&mut self, repair: Repair) {
        let applier = self
            .shards
            .get_mut(&repair.shard)
            .expect("a repair is routed to the worker that owns the shard");
        let copies = repair.copies.iter();
        let repaired = copies.map(|(damaged, copy)| applier.store.repair(damaged, copy));
        // Nobody may be waiting any more: then the damaged rows are found again, or not.
        let _ = repair.reply.send(repaired.collect());
    }

    fn begin_checkpoint(&self) -> Begun {
        let begin = |(shard, applier): (&ShardId, &Applier)| (*shard, applier.store.begin_checkpoint());
        self.shards.iter().map(begin).collect()
    }

    fn finish_checkpoint(&mut self, written: Written) -> Finished {
        let mut finished = Vec::new();
        for (shard, vectors) in written {
            let applier = self
                .shards
                .get_mut(&shard)
                .expect("a checkpoint comes back to its lane");
            match applier.store.finish_checkpoint(vectors) {
                Ok(index) => finished.push((shard, index)),
                Err(error) => panic!(
                    "shard {shard}: the checkpoint cannot be finished: {:#}",
                    anyhow::Error::new(error)
                ),
            }
        }
        finished
    }
}

/// Applies entries; what is to be hashed is taken right behind its entry.
fn apply(
    store: &mut ShardStore,
    shard: ShardId,
    entries: &[EntryToApply],
    hashes: &Hashes,
) -> Result<Vec<Vec<ItemResult>>, ShardStoreError> {
    let mut results = Vec::with_capacity(entries.len());
    for part in entries.split_inclusive(|entry| check(entry).is_some()) {
        results.extend(store.apply(part)?);
        // What was applied before, and is skipped, is not hashed again: the records are ahead of it.
        let last = part.last().and_then(check);
        if let Some((index, command)) = last.filter(|(index, _)| *index == store.applied().index) {
            hashes.applied(shard, index, command, &store.view());
        }
    }
    Ok(results)
}

fn check(entry: &EntryToApply) -> Option<(LogIndex, &ShardCommand)> {
    let Payload::Command(proposal) = &entry.payload else {
        return None;
    };
    let checks = matches!(
        proposal.body,
        ShardCommand::ComputeHash | ShardCommand::VerifyHash { .. }
    );
    checks.then_some((entry.index, &proposal.body))
}

fn decode(shard: ShardId, entry: LogEntry) -> EntryToApply {
    let payload = match entry.kind {
        EntryKind::Normal if entry.data.is_empty() => Payload::Empty,
        EntryKind::Normal => match codec::decode_versioned::<Proposal>(PROPOSAL_VERSION, &entry.data) {
            Ok(proposal) => Payload::Command(proposal),
            Err(error) => panic!("shard {shard}: committed entry {} cannot be read: {error}", entry.index),
        },
        EntryKind::ConfChange => panic!("shard {shard}: entry {} changes members of a static group", entry.index),
    };
    EntryToApply {
        index: LogIndex(entry.index),
        term: Term(entry.term),
        payload,
    }
}
