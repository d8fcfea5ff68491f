//! How long moves take: learned from the phases of those that ended, told of those that run.
//!
//! What a move does is known, and most of its phases take about as long as they did before, whatever the size of the replica; only the
//! fetch of its bytes goes by their number and rate.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use covey_shared::ids::{NodeId, OperationId};

/// A part of a move whose begin and end show, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The new replica becomes a member.
    Join,
    /// It fetches the leader's snapshot.
    Fetch,
    /// It takes in what it has fetched.
    Install,
    /// It gets the log.
    CatchUp,
    /// The vote goes over.
    HandOver,
    /// The old replica leaves.
    Leave,
    /// Its data goes.
    CleanUp,
}

/// All of them, and what each takes on a machine with little else to do, in milliseconds: a guess, until the first move has ended.
const PHASES: [(Phase, u64); 7] = [
    (Phase::Join, 400),
    (Phase::Fetch, 1_500),
    (Phase::Install, 500),
    (Phase::CatchUp, 800),
    (Phase::HandOver, 800),
    (Phase::Leave, 500),
    (Phase::CleanUp, 600),
];

/// From the end of one move to the begin of the next, in milliseconds: two entries of the metadata, and a look between them.
const BETWEEN_MS: u64 = 400;

/// The share of what was known that a new time leaves: 2 of 3 parts.
const KEPT: u64 = 2;
const PARTS: u64 = 3;

/// What is learned. Times are in milliseconds by any clock that does not go back.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    /// Moving means of the phases.
    usual: BTreeMap<Phase, u64>,
    /// The moving mean of whole moves.
    whole: Option<u64>,
    running: BTreeMap<OperationId, Watched>,
}

/// A move that runs.
#[derive(Clone, Copy, Debug)]
struct Watched {
    began: u64,
    /// Its begin was seen.
    whole: bool,
    phase: Phase,
    since: u64,
    /// The begin of the phase was seen.
    sharp: bool,
}

/// What is told of moves, for those who tell of what they are a part of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    /// What a move takes of late, in milliseconds; `None` until one was seen from its begin to its end.
    pub usual_ms: Option<u64>,
    /// Time until the end of moves that run, in milliseconds.
    pub left_ms: BTreeMap<OperationId, u64>,
}

impl Pace {
    /// A move is in this phase at `now`.
    pub fn saw(&mut self, operation: OperationId, phase: Phase, now: u64) {
        let begins = phase == Phase::Join;
        let watched = self.running.entry(operation).or_insert(Watched {
            began: now,
            whole: begins,
            phase,
            since: now,
            sharp: begins,
        });
        let before = *watched;
        if phase == before.phase {
            return;
        }
        let forward = phase > before.phase;
        (watched.phase, watched.since, watched.sharp) = (phase, now, forward);
        // One that goes back is taken back, or begins again: it tells nothing of others.
        watched.whole &= forward;
        if forward {
            self.learn(before, phase, now);
        }
    }

    /// It is done.
    pub fn done(&mut self, operation: OperationId, now: u64) {
        let Some(watched) = self.running.remove(&operation) else {
            return;
        };
        if watched.sharp {
            mean(&mut self.usual, watched.phase, now.saturating_sub(watched.since));
        }
        if watched.whole {
            let took = now.saturating_sub(watched.began);
            self.whole = Some(self.whole.map_or(took, |known| blend(known, took)));
        }
    }

    /// It is taken back, or held up: the times of its phases say nothing.
    pub fn lost(&mut self, operation: OperationId) {
        self.running.remove(&operation);
    }

    /// Only these go on.
    pub fn keep(&mut self, running: &BTreeSet<OperationId>) {
        self.running.retain(|operation, _| running.contains(operation));
    }

    /// What a move takes of late; `None` until one was seen from its begin to its end.
    pub fn usual_ms(&self) -> Option<u64> {
        self.whole
    }

    /// Time until the end of a move, if what it fetches comes within `fetch_ms`. `None`: it was not seen yet.
    pub fn left(&self, operation: OperationId, fetch_ms: Option<u64>, now: u64) -> Option<u64> {
        let watched = self.running.get(&operation)?;
        let known = fetch_ms.filter(|_| watched.phase == Phase::Fetch);
        let present = known.unwrap_or_else(|| {
            let (usual, passed) = (self.usual(watched.phase), now.saturating_sub(watched.since));
            // Of what takes longer than it should nobody knows for how long: the longer it has, the longer it will.
            usual.checked_sub(passed).unwrap_or(passed / 4)
        });
        let later = PHASES.iter().filter(|(phase, _)| *phase > watched.phase);
        Some(later.fold(present, |sum, (phase, _)| sum.saturating_add(self.usual(*phase))))
    }

    /// A phase has ended; those between it and the next one passed unseen.
    fn learn(&mut self, before: Watched, next: Phase, now: u64) {
        if !before.sharp {
            return;
        }
        mean(&mut self.usual, before.phase, now.saturating_sub(before.since));
        let unseen = PHASES
            .iter()
            .filter(|(phase, _)| before.phase < *phase && *phase < next);
        unseen.for_each(|(phase, _)| mean(&mut self.usual, *phase, 0));
    }

    fn usual(&self, phase: Phase) -> u64 {
        let guess = PHASES
            .iter()
            .find(|(of, _)| *of == phase)
            .map_or(0, |(_, guess)| *guess);
        self.usual.get(&phase).copied().unwrap_or(guess)
    }
}

fn mean(usual: &mut BTreeMap<Phase, u64>, phase: Phase, took: u64) {
    usual
        .entry(phase)
        .and_modify(|known| *known = blend(*known, took))
        .or_insert(took);
}

fn blend(known: u64, new: u64) -> u64 {
    let sum = known
        .saturating_mul(KEPT)
        .saturating_add(new.saturating_mul(PARTS - KEPT));
    sum / PARTS
}

/// Time until the last of several moves has ended: those that run, each to a node and with so much time left, and those that wait, each
/// for its node. `at_once` run at the same time, one to each node, and take `each`.
pub(crate) fn until_all(running: &[(NodeId, u64)], waiting: &[NodeId], each: u64, at_once: usize) -> u64 {
    let each = each.saturating_add(BETWEEN_MS);
    let mut by_node: BTreeMap<NodeId, u64> = BTreeMap::new();
    for (node, left) in running {
        let free = by_node.entry(*node).or_default();
        *free = (*free).max(*left);
    }
    for node in waiting {
        let free = by_node.entry(*node).or_default();
        *free = free.saturating_add(each);
    }
    let mut lanes: BinaryHeap<Reverse<u64>> = running.iter().map(|(_, left)| Reverse(*left)).collect();
    while lanes.len() < at_once.max(1) {
        lanes.push(Reverse(0));
    }
    for _ in waiting {
        // The next one begins where the first one ends.
        let Reverse(first) = lanes.pop().unwrap_or_default();
        lanes.push(Reverse(first.saturating_add(each)));
    }
    let by_lane = lanes.into_iter().map(|Reverse(end)| end).max();
    by_lane.max(by_node.into_values().max()).unwrap_or(0)
}

#[cfg(test)]
#[path = "pace_test.rs"]
mod tests;
