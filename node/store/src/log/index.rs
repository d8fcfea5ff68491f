//! What the log keeps in memory of each group: its facts, and which segments hold its live entries.

use std::collections::{BTreeMap, VecDeque};

use super::batch::{Change, Facts};
use super::group::{Bounds, check};
use super::{GroupId, HardState, LogBatch, LogError, LogPosition};

/// Contiguous live entries of one group in one segment.
#[derive(Clone, Debug)]
struct Run {
    segment: u64,
    first: u64,
    last: u64,
    bytes: u64,
}

#[derive(Clone, Debug)]
struct Group {
    facts: Facts,
    /// Oldest first: by index and by segment alike.
    runs: VecDeque<Run>,
}

/// All groups of a log.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    groups: BTreeMap<GroupId, Group>,
}

impl Index {
    /// Judges a whole batch before any of it is written.
    pub(super) fn check(&self, batch: &LogBatch) -> Result<(), LogError> {
        let mut changed: BTreeMap<GroupId, Option<Bounds>> = BTreeMap::new();
        for change in &batch.changes {
            let group = change.group();
            let bounds = changed
                .entry(group)
                .or_insert_with(|| self.groups.get(&group).map(Group::bounds));
            check(*bounds, change).map_err(|reason| LogError::Rejected { group, reason })?;
            *bounds = Some(after(*bounds, change));
        }
        Ok(())
    }

    /// Notes a change that was written to `segment`.
    pub(super) fn apply(&mut self, change: &Change, segment: u64) {
        let group = self.groups.entry(change.group()).or_default();
        let before = group.bounds();
        match change {
            Change::Entries { entries, .. } => {
                let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
                    return;
                };
                group.truncate(first.index);
                let bytes = entries
                    .iter()
                    .map(|entry| entry.data.len() as u64 + ENTRY_OVERHEAD)
                    .sum();
                group.push(Run {
                    segment,
                    first: first.index,
                    last: last.index,
                    bytes,
                });
            }
            Change::HardState { state, .. } => group.facts.hard_state = *state,
            Change::Truncate { from, .. } => group.truncate(*from),
            Change::Compact { at, .. } if at.index > before.compacted => group.compact(*at),
            Change::Compact { .. } => {}
            Change::CreateGroup { start, .. } => group.compact(*start),
            Change::Tombstone { .. } => {
                group.facts.tombstone = true;
                group.runs.clear();
            }
            Change::Facts { facts, .. } => {
                group.facts.hard_state = facts.hard_state;
                group.facts.tombstone |= facts.tombstone;
                group.compact(facts.compacted);
            }
        }
        group.facts.last = after(Some(before), change).last;
    }

    /// The changes that restate all groups, for the head of a segment.
    pub(super) fn facts(&self) -> Vec<Change> {
        self.groups
            .iter()
            .map(|(group, state)| Change::Facts {
                group: *group,
                facts: state.facts,
            })
            .collect()
    }

    /// The oldest segment with a live entry, and a group that has one there.
    pub(super) fn oldest_live(&self) -> Option<(u64, GroupId)> {
        self.groups
            .iter()
            .filter_map(|(group, state)| Some((state.runs.front()?.segment, *group)))
            .min()
    }

    pub(super) fn live_bytes(&self) -> u64 {
        self.groups
            .values()
            .flat_map(|group| &group.runs)
            .map(|run| run.bytes)
            .sum()
    }
}

/// Index, term, kind and length as encoded.
const ENTRY_OVERHEAD: u64 = 25;

/// The bounds of a group after a change that was found fit.
fn after(bounds: Option<Bounds>, change: &Change) -> Bounds {
    let mut bounds = bounds.unwrap_or(Bounds {
        compacted: 0,
        last: 0,
        tombstone: false,
    });
    match change {
        Change::Entries { entries, .. } => bounds.last = entries.last().map_or(bounds.last, |entry| entry.index),
        Change::Truncate { from, .. } => bounds.last = bounds.last.min(from - 1),
        Change::Compact { at, .. } | Change::CreateGroup { start: at, .. } => {
            bounds.compacted = bounds.compacted.max(at.index);
            bounds.last = bounds.last.max(at.index);
        }
        Change::Facts { facts, .. } => {
            bounds.compacted = bounds.compacted.max(facts.compacted.index);
            bounds.last = bounds.last.max(facts.last);
            bounds.tombstone |= facts.tombstone;
        }
        Change::Tombstone { .. } => {
            bounds.tombstone = true;
            bounds.last = bounds.compacted;
        }
        Change::HardState { .. } => {}
    }
    bounds
}

impl Default for Group {
    fn default() -> Group {
        let facts = Facts {
            hard_state: HardState::default(),
            compacted: LogPosition::default(),
            last: 0,
            tombstone: false,
        };
        Group {
            facts,
            runs: VecDeque::new(),
        }
    }
}

impl Group {
    fn bounds(&self) -> Bounds {
        Bounds {
            compacted: self.facts.compacted.index,
            last: self.facts.last,
            tombstone: self.facts.tombstone,
        }
    }

    fn truncate(&mut self, from: u64) {
        while self.runs.back().is_some_and(|run| run.first >= from) {
            self.runs.pop_back();
        }
        if let Some(run) = self.runs.back_mut().filter(|run| run.last >= from) {
            run.cut(run.first, from - 1);
        }
    }

    fn push(&mut self, run: Run) {
        match self.runs.back_mut() {
            Some(back) if back.segment == run.segment => {
                back.last = run.last;
                back.bytes += run.bytes;
            }
            _ => self.runs.push_back(run),
        }
    }

    fn compact(&mut self, at: LogPosition) {
        self.facts.compacted = at;
        while self.runs.front().is_some_and(|run| run.last <= at.index) {
            self.runs.pop_front();
        }
        if let Some(run) = self.runs.front_mut().filter(|run| run.first <= at.index) {
            run.cut(at.index + 1, run.last);
        }
    }
}

impl Run {
    /// Keeps `first..=last`; the bytes shrink in proportion.
    fn cut(&mut self, first: u64, last: u64) {
        let before = self.last - self.first + 1;
        let kept = last - first + 1;
        self.bytes = (u128::from(self.bytes) * u128::from(kept) / u128::from(before)) as u64;
        (self.first, self.last) = (first, last);
    }
}
