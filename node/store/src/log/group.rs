//! One group's log as replayed from its changes: what recovery builds and the oracle keeps.

use std::collections::BTreeMap;

use super::batch::{Change, Facts};
use super::{GroupId, HardState, LogEntry, LogPosition, RecoveredGroup, Rejection};

/// Where a group's log begins and ends: all that is needed to judge a change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) compacted: u64,
    pub(crate) last: u64,
    pub(crate) tombstone: bool,
}

/// Judges a change against the state of its group; `None` if the group does not exist.
pub(crate) fn check(bounds: Option<Bounds>, change: &Change) -> Result<(), Rejection> {
    if matches!(change, Change::Tombstone { .. } | Change::Facts { .. }) {
        return Ok(());
    }
    let bounds = match (bounds, change) {
        (Some(Bounds { tombstone: true, .. }), _) => return Err(Rejection::Tombstone),
        (None, Change::CreateGroup { .. }) => return Ok(()),
        (Some(_), Change::CreateGroup { .. }) => return Err(Rejection::Exists),
        (None, _) => return Err(Rejection::Unknown),
        (Some(bounds), _) => bounds,
    };
    let from = match change {
        Change::Entries { entries, .. } => contiguous_from(entries)?,
        Change::Truncate { from, .. } => *from,
        _ => return Ok(()),
    };
    if from <= bounds.compacted {
        return Err(Rejection::Compacted {
            from,
            compacted: bounds.compacted,
        });
    }
    // Cutting beyond the end changes nothing; appending there would leave a hole.
    if matches!(change, Change::Entries { .. }) && from > bounds.last + 1 {
        return Err(Rejection::Hole {
            from,
            last: bounds.last,
        });
    }
    Ok(())
}

fn contiguous_from(entries: &[LogEntry]) -> Result<u64, Rejection> {
    let contiguous = entries
        .windows(2)
        .all(|pair| pair[0].index.checked_add(1) == Some(pair[1].index));
    match entries.first() {
        Some(first) if contiguous => Ok(first.index),
        _ => Err(Rejection::NotContiguous),
    }
}

/// A group while its changes are replayed.
#[derive(Clone, Debug, Default)]
pub(crate) struct GroupImage {
    hard_state: HardState,
    compacted: LogPosition,
    entries: Vec<LogEntry>,
    tombstone: bool,
    /// Entries after `compacted` and up to here were in segments that are gone. A later change must drop them, else
    /// the log is damaged.
    absent_to: u64,
}

/// All groups while their changes are replayed.
pub(crate) type Images = BTreeMap<GroupId, GroupImage>;

impl GroupImage {
    fn bounds(&self) -> Bounds {
        let end = self.compacted.index.max(self.absent_to);
        let last = self.entries.last().map_or(end, |entry| entry.index);
        Bounds {
            compacted: self.compacted.index,
            last,
            tombstone: self.tombstone,
        }
    }

    fn truncate(&mut self, from: u64) {
        let keep = self.entries.partition_point(|entry| entry.index < from);
        self.entries.truncate(keep);
        self.absent_to = self.absent_to.min(from - 1);
    }

    fn compact(&mut self, at: LogPosition) {
        if at.index > self.compacted.index {
            let gone = self.entries.partition_point(|entry| entry.index <= at.index);
            self.entries.drain(..gone);
            self.compacted = at;
        }
    }

    /// The facts repeat what earlier segments say; where those are gone, they stand for them.
    fn restate(&mut self, facts: &Facts) {
        self.hard_state = facts.hard_state;
        self.compact(facts.compacted);
        self.tombstone |= facts.tombstone;
        if facts.last > self.bounds().last {
            self.entries.clear();
            self.absent_to = facts.last;
        }
    }

    /// The range of live entries that no segment holds.
    pub(crate) fn absent(&self) -> Option<(u64, u64)> {
        (self.absent_to > self.compacted.index).then_some((self.compacted.index + 1, self.absent_to))
    }

    pub(crate) fn into_recovered(self) -> RecoveredGroup {
        RecoveredGroup {
            hard_state: self.hard_state,
            compacted: self.compacted,
            entries: self.entries,
            tombstone: self.tombstone,
        }
    }
}

/// Judges a change and makes it.
pub(crate) fn apply(images: &mut Images, change: Change) -> Result<(), Rejection> {
    let group = change.group();
    check(images.get(&group).map(GroupImage::bounds), &change)?;
    let image = images.entry(group).or_default();
    match change {
        Change::Entries { entries, .. } => {
            image.truncate(entries.first().map_or(u64::MAX, |first| first.index));
            image.entries.extend(entries);
        }
        Change::HardState { state, .. } => image.hard_state = state,
        Change::Truncate { from, .. } => image.truncate(from),
        Change::Compact { at, .. } => image.compact(at),
        Change::CreateGroup { start, .. } => image.compacted = start,
        Change::Tombstone { .. } => {
            image.entries = Vec::new();
            image.tombstone = true;
            image.absent_to = 0;
        }
        Change::Facts { facts, .. } => image.restate(&facts),
    }
    Ok(())
}
