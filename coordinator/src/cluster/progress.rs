//! How far a read over several shards has come: who was asked, who answered, who is asked next. Pure; `fan_out.rs` runs it.

use std::collections::BTreeMap;

use covey_rpc::CallError as RpcError;
use covey_shared::ids::{NodeId, ShardId};
use covey_shared::wire::{About, InvalidRequest, NotReady, ShardError, ShardRead, ShardReply};
use thiserror::Error;

use crate::cluster::port::CallError;
use crate::cluster::replica_choice::Choice;

/// How often all replicas of a shard are asked before it counts as missing. With the pauses between, that is about as long
/// as an election; most deadlines come first.
const MAX_LAPS: u32 = 10;

/// Why a shard has no answer.
#[derive(Clone, Debug, Error)]
pub enum ShardFailure {
    /// The replica said so.
    #[error(transparent)]
    Shard(#[from] ShardError),
    /// The call to its node failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The deadline came first.
    #[error("no replica of the shard answered in time")]
    OutOfTime,
}

/// One shard's answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part<T> {
    pub(crate) about: About,
    /// As in [`ShardReply`].
    pub(crate) damaged: u32,
    pub(crate) value: T,
}

/// Splits a reply into the answer or the reason why there is none.
pub(crate) fn part<T>(reply: ShardReply<T>) -> Result<Part<T>, ShardError> {
    Ok(Part {
        about: reply.about,
        damaged: reply.damaged,
        value: reply.result?,
    })
}

/// Why a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Attempt {
    First,
    /// Where the call before was not taken up: costs the cluster nothing.
    Failover,
    /// Where the call before may have cost work.
    Retry,
    Hedge,
}

impl Attempt {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Attempt::First => "first",
            Attempt::Failover => "failover",
            Attempt::Retry => "retry",
            Attempt::Hedge => "hedge",
        }
    }
}

/// One call to make: all shards that it asks of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) node: NodeId,
    pub(crate) attempt: Attempt,
    pub(crate) reads: Vec<ShardRead>,
}

/// A shard to ask, with where its replicas are.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) read: ShardRead,
    pub(crate) replicas: Vec<NodeId>,
    /// Who most probably has applied everything.
    pub(crate) leader: Option<NodeId>,
    /// Whose answers were too old a moment ago: they are asked after the others that are alive.
    pub(crate) stale: Vec<NodeId>,
}

#[derive(Debug)]
struct ShardProgress {
    target: Target,
    /// Asked in this lap.
    tried: Vec<NodeId>,
    running: Vec<NodeId>,
    laps: u32,
    asked: bool,
    /// Answered, or not to be asked again.
    done: bool,
    /// The last refusal was "behind": only the leader is sure to help.
    behind: bool,
    /// Somebody in this lap refused because of age.
    stale: bool,
    failure: Option<ShardFailure>,
}

/// State of one read.
#[derive(Debug)]
pub(crate) struct Progress<T> {
    shards: BTreeMap<ShardId, ShardProgress>,
    parts: Vec<Part<T>>,
    /// Answers older than allowed: they count only where nobody has a newer one.
    stale: BTreeMap<ShardId, Part<T>>,
    max_staleness_ms: u32,
    /// Who answered, and whether that was too old.
    ages: Vec<(ShardId, NodeId, bool)>,
    /// The time for hedges is over: an old answer now is better than waiting for a newer one.
    late: bool,
}

impl<T> Progress<T> {
    /// `max_staleness_ms`: an older answer is kept, but another replica is asked too.
    pub(crate) fn new(targets: Vec<Target>, max_staleness_ms: u32) -> Progress<T> {
        let shards = targets.into_iter().map(|target| {
            let progress = ShardProgress {
                target,
                tried: Vec::new(),
                running: Vec::new(),
                laps: 0,
                asked: false,
                done: false,
                behind: false,
                stale: false,
                failure: None,
            };
            (progress.target.read.shard, progress)
        });
        Progress {
            shards: shards.collect(),
            parts: Vec::new(),
            stale: BTreeMap::new(),
            max_staleness_ms,
            ages: Vec::new(),
            late: false,
        }
    }

    /// Calls for all shards that nobody works on: a retry asks only for what failed.
    pub(crate) fn plan(&mut self, choice: &mut Choice) -> Vec<Batch> {
        let mut batches = BTreeMap::new();
        for shard in self.shards.values_mut().filter(|s| !s.done && s.running.is_empty()) {
            let attempt = match &shard.failure {
                _ if !shard.asked => Attempt::First,
                Some(failure) if !failure.is_free() => Attempt::Retry,
                // After an old answer too: who is known for them is not asked again before others.
                _ => Attempt::Failover,
            };
            shard.ask(choice, attempt, &mut batches);
        }
        batches.into_values().collect()
    }

    /// A second replica for each shard that has kept us waiting. Of a shard with an old answer, that one is taken.
    pub(crate) fn plan_hedges(&mut self, choice: &mut Choice) -> Vec<Batch> {
        self.late = true;
        for (id, shard) in &mut self.shards {
            shard.done |= self.stale.contains_key(id);
        }
        let mut batches = BTreeMap::new();
        for shard in self.shards.values_mut().filter(|s| !s.done && s.running.len() == 1) {
            shard.ask(choice, Attempt::Hedge, &mut batches);
        }
        batches.into_values().collect()
    }

    /// A planned call is not made (the retry budget is used up).
    pub(crate) fn drop_batch(&mut self, batch: &Batch) {
        for read in &batch.reads {
            if let Some(shard) = self.shards.get_mut(&read.shard) {
                shard.running.retain(|n| *n != batch.node);
                shard.done |= batch.attempt == Attempt::Retry;
            }
        }
    }

    /// Takes in how a call ended.
    pub(crate) fn settle(&mut self, batch: &Batch, result: Result<Vec<ShardReply<T>>, CallError>) {
        let lost = match &result {
            Ok(_) => CallError::WrongReply,
            Err(error) => error.clone(),
        };
        for reply in result.unwrap_or_default() {
            let asked = batch.reads.iter().any(|r| r.shard == reply.about.shard);
            let Some(shard) = self.shards.get_mut(&reply.about.shard).filter(|_| asked) else {
                continue;
            };
            let waiting = shard.running.iter().position(|n| *n == batch.node);
            let Some(waiting) = waiting else { continue };
            shard.running.swap_remove(waiting);
            // The slower of two hedged answers is dropped: one answer per shard.
            if !shard.done {
                match part(reply) {
                    Ok(part) if part.about.staleness_ms <= self.max_staleness_ms => {
                        self.ages.push((part.about.shard, batch.node, false));
                        shard.done = true;
                        self.stale.remove(&part.about.shard);
                        self.parts.push(part);
                    }
                    Ok(part) => {
                        self.ages.push((part.about.shard, batch.node, true));
                        shard.failure = None;
                        shard.done = self.late || (!shard.may_be_fresher() && shard.running.is_empty());
                        let kept = self.stale.get(&part.about.shard);
                        if kept.is_none_or(|kept| part.about.staleness_ms < kept.about.staleness_ms) {
                            self.stale.insert(part.about.shard, part);
                        }
                    }
                    Err(error) => shard.refused(error),
                }
            }
        }
        for read in &batch.reads {
            let shard = self
                .shards
                .get_mut(&read.shard)
                .filter(|s| s.running.contains(&batch.node));
            if let Some(shard) = shard {
                shard.running.retain(|n| *n != batch.node);
                shard.failure = Some(lost.clone().into());
            }
        }
    }

    /// Nothing is left to ask or to wait for.
    pub(crate) fn complete(&self) -> bool {
        self.shards.values().all(|s| s.done)
    }

    /// Lets the unanswered shards ask all their replicas again; `None` when they have had enough tries, else how many
    /// laps they have made.
    pub(crate) fn next_lap(&mut self) -> Option<u32> {
        let mut laps = None;
        for shard in self.shards.values_mut().filter(|s| !s.done) {
            shard.laps += 1;
            shard.tried.clear();
            // Who is too old now may be new enough with the next heartbeat.
            let enough = shard.laps >= MAX_LAPS && !std::mem::take(&mut shard.stale);
            // An old answer now is better than a new one after the deadline.
            shard.done = enough || self.stale.contains_key(&shard.target.read.shard);
            if !shard.done {
                laps = laps.max(Some(shard.laps));
            }
        }
        laps
    }

    /// Whose answers were too old, and whose were not.
    pub(crate) fn ages(&self) -> &[(ShardId, NodeId, bool)] {
        &self.ages
    }

    /// The answers, by shard, and why the other shards have none.
    pub(crate) fn finish(mut self) -> (Vec<Part<T>>, BTreeMap<ShardId, ShardFailure>) {
        self.parts.extend(self.stale.into_values());
        self.parts.sort_by_key(|p| p.about.shard);
        let answered: Vec<ShardId> = self.parts.iter().map(|p| p.about.shard).collect();
        let failed = self
            .shards
            .into_iter()
            .filter(|(shard, _)| answered.binary_search(shard).is_err())
            .map(|(shard, progress)| (shard, progress.failure.unwrap_or(ShardFailure::OutOfTime)))
            .collect();
        (self.parts, failed)
    }
}

impl ShardProgress {
    fn ask(&mut self, choice: &mut Choice, attempt: Attempt, batches: &mut BTreeMap<(NodeId, Attempt), Batch>) {
        let first = self.target.leader.filter(|_| self.behind);
        // Who hedges wants an answer, be it an old one.
        let stale: &[NodeId] = match attempt {
            Attempt::Hedge => &[],
            _ => &self.target.stale,
        };
        let Some(node) = choice.pick(&self.target.replicas, (&self.tried, stale), first) else {
            return;
        };
        self.tried.push(node);
        self.running.push(node);
        self.asked = true;
        let empty = || Batch {
            node,
            attempt,
            reads: Vec::new(),
        };
        let batch = batches.entry((node, attempt)).or_insert_with(empty);
        batch.reads.push(self.target.read);
    }

    /// Whether somebody is left to ask who is not known for old answers.
    fn may_be_fresher(&self) -> bool {
        let Target { replicas, stale, .. } = &self.target;
        replicas
            .iter()
            .any(|node| !self.tried.contains(node) && !stale.contains(node))
    }

    fn refused(&mut self, error: ShardError) {
        self.behind = error == ShardError::NotReady(NotReady::Behind);
        // All replicas judge a request alike.
        self.done = matches!(error, ShardError::Invalid(_));
        let failure = ShardFailure::from(error);
        self.stale |= failure.is_stale();
        self.failure = Some(failure);
    }
}

impl ShardFailure {
    /// The time was used up; nothing else is known to be wrong.
    pub(crate) fn is_late(&self) -> bool {
        matches!(
            self,
            ShardFailure::OutOfTime
                | ShardFailure::Shard(ShardError::DeadlineExceeded)
                | ShardFailure::Call(CallError::Rpc(RpcError::Timeout { .. }))
        )
    }

    /// The replica may be older than the read allows. It is young again once somebody leads it, which only the deadline may come
    /// before.
    fn is_stale(&self) -> bool {
        matches!(self, ShardFailure::Shard(ShardError::NotReady(NotReady::Stale)))
    }

    /// Nobody has worked on the read, and nobody was too busy to: asking another replica adds no load.
    fn is_free(&self) -> bool {
        match self {
            ShardFailure::Shard(error) => matches!(error, ShardError::NotReady(_) | ShardError::NotHere(_)),
            // A call that was cut off may have been worked on, or may have ended its node.
            ShardFailure::Call(CallError::Rpc(RpcError::Closed { .. })) => false,
            ShardFailure::Call(CallError::Rpc(error)) => error.is_down(),
            ShardFailure::Call(error) => matches!(error, CallError::BreakerOpen),
            ShardFailure::OutOfTime => false,
        }
    }

    /// A change may have been made all the same.
    pub(crate) fn may_be_done(&self) -> bool {
        match self {
            ShardFailure::Shard(error) => matches!(error, ShardError::Uncertain | ShardError::DeadlineExceeded),
            ShardFailure::Call(CallError::Rpc(RpcError::Connect { .. } | RpcError::Refused { .. })) => false,
            ShardFailure::Call(CallError::Rpc(RpcError::Overloaded { .. })) => false,
            ShardFailure::Call(error) => matches!(error, CallError::Rpc(_) | CallError::WrongReply),
            ShardFailure::OutOfTime => true,
        }
    }

    /// The request itself is at fault.
    pub(crate) fn invalid(&self) -> Option<InvalidRequest> {
        match self {
            ShardFailure::Shard(ShardError::Invalid(why)) => Some(*why),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "progress_test.rs"]
mod tests;
