//! What was promised to others: acknowledged entries and hard states, and what therefore must be found at every start.

use covey_store::log::{HardState, LogEntry, RecoveredGroup};

/// The log as its writers know it.
#[derive(Clone, Debug, Default)]
pub(super) struct Promises {
    /// All entries from index 1 on, as last appended.
    log: Vec<LogEntry>,
    /// Entries up to here were synced.
    synced: u64,
    /// Entries up to here are on a majority: they are never replaced, and may be applied.
    committed: u64,
    /// Entries that were appended or replaced since the last sync.
    in_doubt: Vec<LogEntry>,
    /// The synced hard state, and those written since.
    hard_states: Vec<HardState>,
    /// The log was asked to be cut up to here.
    cut_to: u64,
}

impl Promises {
    pub(super) fn log(&self) -> &[LogEntry] {
        &self.log
    }

    pub(super) fn last(&self) -> u64 {
        self.log.len() as u64
    }

    pub(super) fn committed(&self) -> u64 {
        self.committed
    }

    pub(super) fn cut_to(&self) -> u64 {
        self.cut_to
    }

    pub(super) fn hard_state(&self) -> HardState {
        self.hard_states.last().copied().unwrap_or_default()
    }

    /// A run of entries is about to be appended; it replaces what is there from its first index on.
    pub(super) fn append(&mut self, run: &[LogEntry]) {
        let before = run.first().map_or(self.last(), |first| first.index - 1);
        assert!(before >= self.committed, "a committed entry is never replaced");
        self.in_doubt.extend(self.log.drain(before as usize..));
        self.synced = self.synced.min(before);
        self.in_doubt.extend_from_slice(run);
        self.log.extend_from_slice(run);
    }

    /// A hard state is about to be appended.
    pub(super) fn append_hard_state(&mut self, state: HardState) {
        self.hard_states.push(state);
    }

    /// The log is about to be cut.
    pub(super) fn cut(&mut self, to: u64) {
        self.cut_to = to;
    }

    /// All that was appended is synced, and acknowledged.
    pub(super) fn sync(&mut self) {
        self.synced = self.last();
        self.in_doubt.clear();
        self.hard_states.drain(..self.hard_states.len().saturating_sub(1));
    }

    /// What is synced here is on a majority.
    pub(super) fn commit(&mut self) {
        self.committed = self.synced;
    }

    /// Judges what a start found in the log. From then on it is durable.
    ///
    /// # Errors
    /// What was lost or made up.
    pub(super) fn recover(&mut self, found: &RecoveredGroup) -> Result<(), String> {
        if found.tombstone {
            return Err("the group is destroyed".into());
        }
        if found.compacted.index > self.cut_to {
            let (cut, asked) = (found.compacted.index, self.cut_to);
            return Err(format!("the log is cut up to {cut}, asked was {asked}"));
        }
        let states = &mut self.hard_states;
        if !states.contains(&found.hard_state) && (!states.is_empty() || found.hard_state != HardState::default()) {
            return Err(format!("{:?} was found, promised was {:?}", found.hard_state, states));
        }
        *states = vec![found.hard_state];
        let last = found.last();
        if last < self.synced {
            let lost = self.synced;
            return Err(format!("entries {} to {lost} were acknowledged and are lost", last + 1));
        }
        for (entry, index) in found.entries.iter().zip(found.compacted.index + 1..) {
            let expected = self.log.get(index as usize - 1).filter(|_| index <= self.synced);
            let known = expected.map_or_else(|| self.in_doubt.contains(entry), |expected| expected == entry);
            if entry.index != index || !known {
                let (at, term) = (entry.index, entry.term);
                return Err(format!(
                    "entry {at} of term {term} was found at {index}, it is not what was written"
                ));
            }
        }
        self.log.truncate(self.synced as usize);
        let tail = found.entries.iter().filter(|entry| entry.index > self.synced);
        self.log.extend(tail.cloned());
        self.sync();
        Ok(())
    }
}
