//! Apply workers: each owns the stores of its shards and applies committed entries in order.
//!
//! They run on threads of their own, because the key-value store may block. Replicas come and go: what is meant for one that is
//! gone is dropped.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;
use covey_env::watch;
use covey_shard::{EntryToApply, Incarnation, Payload, ShardStore, ShardStoreError, ShardView};
use covey_shared::codec;
use covey_shared::command::{ItemResult, Proposal, ShardCommand};
use covey_shared::ids::{LogIndex, ShardId, Term};
use covey_shared::members::{MEMBER_CHANGE_VERSION, MemberChange};
use covey_store::kv::KvStore;
use covey_store::log::{EntryKind, LogEntry};

use super::lanes::{Begun, Finished, Job, Jobs, Repair, Written};
use crate::completions::{Completion, Completions};
use crate::raft::{AppliedTask, ApplyTask};
use crate::set_aside::DamageWatch;
use crate::snapshot::Arrival;
use crate::startup::Observer;
use crate::verify::Hashes;

/// Where a replica's worker publishes what it does.
pub(crate) struct Seat {
    /// Last applied entry.
    pub(crate) applied: watch::Sender<LogIndex>,
    /// What reads see.
    pub(crate) view: Arc<ArcSwap<ShardView>>,
}

/// One replica's store, and where it is seen.
pub(crate) struct Applier {
    pub(crate) store: ShardStore,
    pub(crate) seat: Seat,
}

/// A thread's worth of replicas.
pub(crate) struct ApplyWorker {
    pub(crate) shards: BTreeMap<ShardId, Applier>,
    pub(crate) jobs: Jobs,
    pub(crate) kv: Arc<dyn KvStore>,
    pub(crate) done: Completions,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) damage: DamageWatch,
    pub(crate) hashes: Arc<Hashes>,
    /// While a checkpoint is on its way: who has left since. It still writes to their files.
    pub(crate) left: Option<Vec<Completion>>,
}

impl ApplyWorker {
    /// Works until the input closes. An entry that cannot be applied ends the process: replicas must not diverge.
    pub(crate) async fn run(mut self) {
        while let Some(job) = self.jobs.recv().await {
            match job {
                Job::Apply(task) => self.apply(task),
                // Nobody waits for an answer any more when the node stops.
                Job::Begin(reply) => _ = reply.send(self.begin_checkpoint()),
                Job::Finish(written, reply) => _ = reply.send(self.finish_checkpoint(written)),
                Job::Install(arrival) => self.install(*arrival),
                Job::Destroy(shard) => self.destroy(shard),
                Job::Repair(repair) => self.repair(repair),
            }
        }
    }

    fn apply(&mut self, task: ApplyTask) {
        let Some(applier) = self.shards.get_mut(&task.shard) else {
            return;
        };
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
        applier.seat.applied.send_replace(LogIndex(index));
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
            seat,
            ..
        } = arrival;
        if seat.is_none() && !self.shards.contains_key(&shard) {
            // The replica is gone, and with it who asked for this.
            return;
        }
        if let Err(error) = Incarnation::switch(&*self.kv, shard, generation) {
            panic!(
                "shard {shard}: the snapshot cannot be made the replica: {:#}",
                anyhow::Error::new(error)
            );
        }
        let (index, view) = (fetched.at.index, store.view());
        let (seat, replaced) = match (self.shards.remove(&shard), seat) {
            (Some(before), _) => {
                let replaced = Arc::downgrade(&before.seat.view.swap(view));
                (before.seat, replaced)
            }
            (None, seat) => (seat.expect("seen above"), Weak::new()),
        };
        self.hashes.forget(shard);
        seat.applied.send_replace(LogIndex(index));
        self.shards.insert(shard, Applier { store: *store, seat });
        tracing::info!(shard = shard.0, index, "the replica goes on from a snapshot");
        if let Some(observer) = &self.observer {
            observer.installed(shard, index);
        }
        self.done.push(Completion::Installed { shard, index, replaced });
    }

    /// Whatever was on its way to this replica came before.
    fn destroy(&mut self, shard: ShardId) {
        let gone = self.shards.remove(&shard);
        let replaced = gone.map_or_else(Weak::new, |gone| Arc::downgrade(&gone.seat.view.load_full()));
        self.hashes.forget(shard);
        let destroyed = Completion::Destroyed { shard, replaced };
        match &mut self.left {
            Some(left) => left.push(destroyed),
            None => self.done.push(destroyed),
        }
    }

    fn repair(&mut self, repair: Repair) {
        let Some(applier) = self.shards.get_mut(&repair.shard) else {
            return;
        };
        let copies = repair.copies.iter();
        let repaired = copies.map(|(damaged, copy)| applier.store.repair(damaged, copy));
        // Nobody may be waiting any more: then the damaged rows are found again, or not.
        let _ = repair.reply.send(repaired.collect());
    }

    fn begin_checkpoint(&mut self) -> Begun {
        self.left = Some(Vec::new());
        let begin = |(shard, applier): (&ShardId, &Applier)| (*shard, applier.store.begin_checkpoint());
        self.shards.iter().map(begin).collect()
    }

    fn finish_checkpoint(&mut self, written: Written) -> Finished {
        let mut finished = Vec::new();
        for (shard, vectors) in written {
            let Some(applier) = self.shards.get_mut(&shard) else {
                continue;
            };
            match applier.store.finish_checkpoint(vectors) {
                Ok(index) => finished.push((shard, index)),
                Err(error) => panic!(
                    "shard {shard}: the checkpoint cannot be finished: {:#}",
                    anyhow::Error::new(error)
                ),
            }
        }
        for left in self.left.take().into_iter().flatten() {
            self.done.push(left);
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
        EntryKind::Normal if entry.data.is_empty() => Ok(Payload::Empty),
        EntryKind::Normal => Proposal::decode(&entry.data).map(Payload::Command),
        EntryKind::ConfChange => {
            codec::decode_versioned::<MemberChange>(MEMBER_CHANGE_VERSION, &entry.data).map(Payload::Members)
        }
    };
    EntryToApply {
        index: LogIndex(entry.index),
        term: Term(entry.term),
        payload: payload
            .unwrap_or_else(|error| panic!("shard {shard}: committed entry {} cannot be read: {error}", entry.index)),
    }
}

#[cfg(test)]
#[path = "worker_test.rs"]
mod tests;
