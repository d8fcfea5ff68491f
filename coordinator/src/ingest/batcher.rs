//! Gathers the items of many requests into entries of the log, per shard and kind. Pure: no clock, no actor.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use covey_env::Monotonic;
use covey_shared::ids::ShardId;

use crate::ingest::item::{Kind, WriteItem};

/// Batches of one lane on their way at once: while one is being fsynced the next is already sent.
const LANE_WINDOW: usize = 4;

/// Bounds of batches and queues.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchLimits {
    /// Items of one batch.
    pub(crate) items: usize,
    /// Encoded bytes of one batch, as estimated; a single item may exceed it.
    pub(crate) bytes: usize,
    /// How long an item waits for others while nothing of its lane is on its way.
    pub(crate) linger: Duration,
    /// How long a record of what was served waits for others.
    pub(crate) served_linger: Duration,
    /// Items that wait in one lane.
    pub(crate) queue: usize,
}

/// Where the outcome of an item goes: a request, and a position in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) request: u64,
    pub(crate) index: usize,
}

/// An item with where its outcome goes; records of what was served go nowhere.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Queued {
    pub(crate) item: WriteItem,
    pub(crate) ticket: Option<Ticket>,
    pub(crate) deadline: Monotonic,
}

/// A lane: the items of one kind for one shard.
pub(crate) type LaneId = (ShardId, Kind);

/// One write to send.
#[derive(Debug, PartialEq)]
pub(crate) struct Batch {
    pub(crate) lane: LaneId,
    pub(crate) items: Vec<Queued>,
}

#[derive(Debug, Default)]
struct Lane {
    queue: VecDeque<Queued>,
    in_flight: usize,
    /// When the first item that waits came in.
    since: Monotonic,
}

/// All lanes.
#[derive(Debug)]
pub(crate) struct Batcher {
    limits: BatchLimits,
    lanes: BTreeMap<LaneId, Lane>,
}

impl Batcher {
    pub(crate) fn new(limits: BatchLimits) -> Batcher {
        Batcher {
            limits,
            lanes: BTreeMap::new(),
        }
    }

    /// Queues an item; false, and not queued, when the lane is full.
    pub(crate) fn push(&mut self, shard: ShardId, queued: Queued, now: Monotonic) -> bool {
        let lane = self.lanes.entry((shard, queued.item.kind())).or_default();
        if lane.queue.len() >= self.limits.queue {
            return false;
        }
        if lane.queue.is_empty() {
            lane.since = now;
        }
        lane.queue.push_back(queued);
        true
    }

    /// Batches to send now. An item waits at most the linger time when its lane is idle; behind other batches it waits for
    /// a full batch or for one of them to end, which makes batches larger the busier a shard is.
    pub(crate) fn due(&mut self, now: Monotonic) -> Vec<Batch> {
        let limits = self.limits;
        let mut batches = Vec::new();
        for (id, lane) in &mut self.lanes {
            while let Some(count) = lane.ready(*id, &limits, now) {
                let items: Vec<Queued> = lane.queue.drain(..count).collect();
                lane.in_flight += 1;
                lane.since = now;
                batches.push(Batch { lane: *id, items });
            }
        }
        batches
    }

    /// A batch of the lane has ended.
    pub(crate) fn ended(&mut self, id: LaneId) {
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.in_flight -= 1;
        }
        self.lanes
            .retain(|_, lane| lane.in_flight > 0 || !lane.queue.is_empty());
    }

    /// When [`Batcher::due`] is next worth calling, if no item comes and no batch ends.
    pub(crate) fn next_due(&self) -> Option<Monotonic> {
        let idle = self
            .lanes
            .iter()
            .filter(|(_, lane)| lane.in_flight == 0 && !lane.queue.is_empty());
        idle.map(|(id, lane)| lane.since.plus(linger(*id, &self.limits))).min()
    }
}

fn linger(lane: LaneId, limits: &BatchLimits) -> Duration {
    match lane.1 {
        Kind::Served => limits.served_linger,
        _ => limits.linger,
    }
}

impl Lane {
    /// How many items the next batch takes, if one is due.
    fn ready(&self, id: LaneId, limits: &BatchLimits, now: Monotonic) -> Option<usize> {
        if self.queue.is_empty() || self.in_flight >= LANE_WINDOW {
            return None;
        }
        let (count, full) = self.take(limits);
        let waited = self.in_flight == 0 && now.since(self.since) >= linger(id, limits);
        (full || waited).then_some(count)
    }

    /// How many items fit into one batch, and whether it is full.
    fn take(&self, limits: &BatchLimits) -> (usize, bool) {
        let mut bytes = 0;
        for (count, queued) in self.queue.iter().enumerate() {
            bytes += queued.item.bytes();
            if count == limits.items || (count > 0 && bytes > limits.bytes) {
                return (count, true);
            }
        }
        (self.queue.len(), self.queue.len() == limits.items)
    }
}

#[cfg(test)]
#[path = "batcher_test.rs"]
mod tests;
