//! What a read says about itself: how complete, how fresh, how long.

use std::collections::BTreeSet;
use std::time::Duration;

use covey_env::Monotonic;
use covey_shared::ids::{ModelEpoch, ShardId};
use covey_shared::session::{Seen, SessionToken};
use covey_shared::slots::SlotSet;
use covey_shared::wire::Class;

use crate::cluster::progress::Part;

/// Under which conditions a read is made.
#[derive(Clone, Debug)]
pub struct ReadContext {
    /// When the answer is of no use any more.
    pub deadline: Monotonic,
    /// What the client has seen: no answer is older.
    pub token: SessionToken,
    /// Whose permits the read takes.
    pub class: Class,
    /// Model epoch that the caller works with; 0 = none.
    pub model_epoch: ModelEpoch,
    /// No answer counts that may be older than this. `None`: one older than `rpc.max_staleness` does where nobody has a newer one.
    pub within: Option<Duration>,
}

impl ReadContext {
    /// A query of a client.
    #[must_use]
    pub fn query(deadline: Monotonic, token: SessionToken) -> ReadContext {
        ReadContext {
            deadline,
            token,
            class: Class::Query,
            model_epoch: ModelEpoch(0),
            within: None,
        }
    }

    /// The same read, for which an older answer is none.
    #[must_use]
    pub fn within(self, age: Duration) -> ReadContext {
        ReadContext {
            within: Some(age),
            ..self
        }
    }

    /// The same read with an earlier deadline.
    #[must_use]
    pub fn until(&self, deadline: Monotonic) -> ReadContext {
        ReadContext {
            deadline: self.deadline.min(deadline),
            ..self.clone()
        }
    }
}

/// How complete and fresh the answers of one or more reads are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadReport {
    /// Slots that were asked.
    pub asked: SlotSet,
    /// Slots that were asked at least once in vain.
    pub holes: SlotSet,
    /// Shards without an answer.
    pub missing_shards: BTreeSet<ShardId>,
    /// How far the worst replica used may lag behind its leader, in milliseconds.
    pub staleness_ms: u32,
    /// A shard ran out of time and returned what it had, or may have more than it may be asked for.
    pub partial: bool,
    /// Shards of which nobody had an answer as fresh as it should be.
    pub stale_shards: BTreeSet<ShardId>,
    /// Shards that left damaged rows out.
    pub damaged_shards: BTreeSet<ShardId>,
    /// What the answers have seen.
    pub token: SessionToken,
    /// Calls made, retries and hedges included.
    pub calls: u32,
    /// Retries among them.
    pub retries: u32,
    /// Hedges among them.
    pub hedges: u32,
    /// Bytes of the calls that were answered, both ways.
    pub bytes: u64,
    /// Rows or entries that the shards looked at.
    pub visited: u64,
    /// Longest wait for a permit or thread on a shard.
    pub queue: Duration,
    /// Longest work on a shard.
    pub work: Duration,
    /// Work of all shards together: what the read costs.
    pub cost: Duration,
    /// Time of the read; of several, the sum.
    pub took: Duration,
}

impl ReadReport {
    /// Share of the asked slots that answered, 0 ..= 1; exactly 1 only if all did. 1 when nothing was asked.
    pub fn coverage(&self) -> f64 {
        match self.asked.count() {
            0 => 1.0,
            asked => f64::from(asked - self.holes.count()) / f64::from(asked),
        }
    }

    /// All that was asked answered with all that it has.
    pub fn is_whole(&self) -> bool {
        self.holes.count() == 0 && !self.partial && self.damaged_shards.is_empty()
    }

    /// What stands in `degraded` for shards whose slots are covered, but not by every row: those that left damaged rows out, and
    /// those whose answer is old.
    pub fn flaws(&self) -> impl Iterator<Item = (String, &'static str)> {
        let flaw = |reason| move |shard: &ShardId| (format!("shard {shard}"), reason);
        let damaged = self.damaged_shards.iter().map(flaw("damaged rows skipped"));
        damaged.chain(self.stale_shards.iter().map(flaw("older than rpc.max_staleness")))
    }

    /// Takes in the report of another read of the same request.
    pub fn absorb(&mut self, other: &ReadReport) {
        self.asked.union(&other.asked);
        self.holes.union(&other.holes);
        self.missing_shards.extend(&other.missing_shards);
        self.staleness_ms = self.staleness_ms.max(other.staleness_ms);
        self.partial |= other.partial;
        self.stale_shards.extend(&other.stale_shards);
        self.damaged_shards.extend(&other.damaged_shards);
        self.token.merge(&other.token);
        self.calls += other.calls;
        self.retries += other.retries;
        self.hedges += other.hedges;
        self.bytes += other.bytes;
        self.visited += other.visited;
        self.queue = self.queue.max(other.queue);
        self.work = self.work.max(other.work);
        self.cost += other.cost;
        self.took += other.took;
    }

    /// Takes in the report of another round of the same read: shards that were covered stay covered.
    pub(crate) fn again(&mut self, other: &ReadReport) {
        let (holes, missing) = (self.holes.clone(), self.missing_shards.clone());
        self.absorb(other);
        self.holes = holes;
        self.missing_shards = missing;
    }

    pub(crate) fn observe<T>(&mut self, part: &Part<T>, max_staleness_ms: u32) {
        self.staleness_ms = self.staleness_ms.max(part.about.staleness_ms);
        self.partial |= part.about.partial;
        self.stale_shards
            .extend((part.about.staleness_ms > max_staleness_ms).then_some(part.about.shard));
        self.damaged_shards
            .extend((part.damaged > 0).then_some(part.about.shard));
        self.visited += part.about.visited;
        self.queue = self.queue.max(Duration::from_micros(part.about.queue_us.into()));
        let work = Duration::from_micros(part.about.work_us.into());
        self.work = self.work.max(work);
        self.cost += work;
        self.token.observe(Seen {
            shard: part.about.shard,
            range_ver: part.about.epoch.range_ver,
            index: part.about.applied,
        });
    }
}

/// The answer of a read and what it says about itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Gathered<T> {
    /// The merged answer of the shards that answered.
    pub value: T,
    /// How complete and fresh it is.
    pub report: ReadReport,
}

impl<T> Gathered<T> {
    /// The same report with another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Gathered<U> {
        Gathered {
            value: f(self.value),
            report: self.report,
        }
    }
}

#[cfg(test)]
#[path = "report_test.rs"]
mod tests;
