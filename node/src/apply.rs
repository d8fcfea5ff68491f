//! Apply workers: each owns the stores of its shards and applies committed entries in order.
//!
//! They run on threads of their own, because the key-value store may block.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use covey_shard::{EntryToApply, Payload, ShardStore};
use covey_shared::codec;
use covey_shared::command::{PROPOSAL_VERSION, Proposal};
use covey_shared::ids::{LogIndex, ShardId, Term};
use covey_store::kv::KvStore;
use covey_store::log::{EntryKind, LogEntry};
use tokio::sync::{mpsc, watch};

use crate::completions::{Completion, Completions};
use crate::raft::{AppliedTask, ApplyTask};
use crate::startup::Observer;

/// A job for the worker of a shard.
#[derive(Debug)]
pub(crate) enum Job {
    /// Committed entries; at most one per shard is on its way.
    Apply(ApplyTask),
    /// Make everything that is applied safe from any crash; at most one is on its way.
    Checkpoint,
}

/// The input of one worker.
#[derive(Clone)]
struct Lane {
    jobs: mpsc::Sender<Job>,
    /// A checkpoint is on its way.
    checkpoint: Arc<AtomicBool>,
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
            let (jobs, input) = mpsc::channel(mine.len() + 1);
            let checkpoint = Arc::new(AtomicBool::new(false));
            lanes.push(Lane {
                jobs,
                checkpoint: checkpoint.clone(),
            });
            inputs.push(LaneInput {
                shards: mine,
                jobs: input,
                checkpoint,
            });
        }
        let by_shard = inputs
            .iter()
            .enumerate()
            .flat_map(|(i, lane)| lane.shards.iter().map(move |s| (*s, i)));
        let by_shard = Arc::new(by_shard.collect());
        (ApplyLanes { lanes, by_shard }, inputs)
    }

    /// Hands over committed entries. There is always room: a lane holds one job per shard and one checkpoint.
    pub(crate) fn submit(&self, task: ApplyTask) {
        let lane = &self.lanes[self.by_shard[&task.shard]];
        match lane.jobs.try_send(Job::Apply(task)) {
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
            Err(mpsc::error::TrySendError::Full(_)) => panic!("an apply lane has room for one job per shard"),
        }
    }

    /// Asks every worker for a checkpoint; one that still works on the last one is left alone.
    pub(crate) fn checkpoint(&self) {
        for lane in &self.lanes {
            if !lane.checkpoint.swap(true, Ordering::AcqRel) {
                // Closed only when the node shuts down.
                let _ = lane.jobs.try_send(Job::Checkpoint);
            }
        }
    }
}

/// What one worker is made from.
pub(crate) struct LaneInput {
    pub(crate) shards: Vec<ShardId>,
    jobs: mpsc::Receiver<Job>,
    checkpoint: Arc<AtomicBool>,
}

/// One replica's store and where its applied index is published.
pub(crate) struct Applier {
    pub(crate) store: ShardStore,
    pub(crate) applied: watch::Sender<LogIndex>,
}

/// A thread's worth of replicas.
pub(crate) struct ApplyWorker {
    pub(crate) shards: BTreeMap<ShardId, Applier>,
    pub(crate) kv: Arc<dyn KvStore>,
    pub(crate) lane: LaneInput,
    pub(crate) done: Completions,
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

impl ApplyWorker {
    /// Works until the input closes. An entry that cannot be applied ends the process: replicas must not diverge.
    pub(crate) async fn run(mut self) {
        while let Some(job) = self.lane.jobs.recv().await {
            match job {
                Job::Apply(task) => self.apply(task),
                Job::Checkpoint => {
                    self.checkpoint();
                    self.lane.checkpoint.store(false, Ordering::Release);
                }
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
        let results = match applier.store.apply(&entries) {
            Ok(results) => results,
            Err(error) => panic!("shard {}: a committed entry cannot be applied: {error}", task.shard),
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

    fn checkpoint(&mut self) {
        let mut indexes = Vec::new();
        for (shard, applier) in &mut self.shards {
            match applier.store.checkpoint() {
                Ok(index) => indexes.push((*shard, index.0)),
                // After a failed fsync nothing is known about what the disk kept; the log still has it all.
                Err(error) => panic!(
                    "shard {shard}: vectors cannot be made durable: {:#}",
                    anyhow::Error::new(error)
                ),
            }
        }
        if let Err(error) = self.kv.persist() {
            panic!(
                "the key-value store cannot be made durable: {:#}",
                anyhow::Error::new(error)
            );
        }
        for (shard, index) in indexes {
            self.done.push(Completion::Checkpointed { shard, index });
        }
    }
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
