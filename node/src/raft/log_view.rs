//! The log of one group as raft reads it: every entry since the last compaction, in memory.
//!
//! The same entries lie in the node's WAL. A compaction follows what every member has on disk, so that in a healthy
//! group only a short tail is held; a member that is away holds it back up to a limit, and pulls a snapshot after that.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};

use raft::eraftpb::{ConfState, Entry, HardState, Snapshot};
use raft::{Error, GetEntriesContext, RaftState, Result, Storage, StorageError};

/// Entries, hard state and members of one group.
#[derive(Debug, Default)]
pub(crate) struct LogView {
    hard_state: HardState,
    conf_state: ConfState,
    /// Index and term of the last entry that is gone.
    compacted: (u64, u64),
    entries: VecDeque<Entry>,
    /// Of the entries, as in limits.
    bytes: u64,
    /// Members that need entries which are gone. The library asks with `&self`.
    wanting: RefCell<BTreeSet<u64>>,
}

impl LogView {
    /// A recovered or new log. `entries` follow `compacted` without a gap.
    pub(crate) fn new(
        hard_state: HardState,
        conf_state: ConfState,
        compacted: (u64, u64),
        entries: Vec<Entry>,
    ) -> Self {
        LogView {
            hard_state,
            conf_state,
            compacted,
            bytes: entries.iter().map(size).sum(),
            entries: entries.into(),
            wanting: RefCell::default(),
        }
    }

    /// Begins anew behind a snapshot: whatever was there is replaced by it.
    pub(crate) fn restore(&mut self, at: (u64, u64), conf_state: ConfState) {
        self.entries.clear();
        (self.compacted, self.conf_state, self.bytes) = (at, conf_state, 0);
    }

    /// The members that needed entries which are gone, since the last call.
    pub(crate) fn take_wanting(&self) -> BTreeSet<u64> {
        self.wanting.take()
    }

    /// The last index before the newest entries that take at most `bytes`.
    pub(crate) fn index_before(&self, bytes: u64) -> u64 {
        let mut over = self.bytes.saturating_sub(bytes);
        let gone = self.entries.iter().take_while(|entry| {
            let counts = over > 0;
            over = over.saturating_sub(size(entry));
            counts
        });
        self.compacted.0 + gone.count() as u64
    }

    /// The entries after `index`, of which the log must still have the next one.
    pub(crate) fn after(&self, index: u64) -> impl Iterator<Item = &Entry> {
        let gone = index.checked_sub(self.compacted.0);
        let gone = gone.expect("entries that the store lacks are never compacted");
        self.entries.iter().skip(gone as usize)
    }

    /// Bytes of data of the entries after `from`, up to `to`.
    pub(crate) fn data_bytes(&self, from: u64, to: u64) -> u64 {
        let entries = self.after(from).take((to - from) as usize);
        entries.map(|entry| size(entry) - ENTRY_EXTRA).sum()
    }

    /// Bytes that it takes in memory: the places of entries, and their data.
    pub(crate) fn heap_bytes(&self) -> u64 {
        let places = self.entries.capacity() * size_of::<Entry>();
        places as u64 + self.bytes - self.entries.len() as u64 * ENTRY_EXTRA
    }

    /// First index still held.
    pub(crate) fn first(&self) -> u64 {
        self.compacted.0 + 1
    }

    /// Last index held; the compacted one when empty.
    pub(crate) fn last(&self) -> u64 {
        self.compacted.0 + self.entries.len() as u64
    }

    pub(crate) fn set_conf_state(&mut self, conf_state: ConfState) {
        self.conf_state = conf_state;
    }

    /// Whether a state has another term or vote than the last one.
    pub(crate) fn votes_anew(&self, next: &HardState) -> bool {
        (next.term, next.vote) != (self.hard_state.term, self.hard_state.vote)
    }

    pub(crate) fn set_hard_state(&mut self, hard_state: HardState) {
        self.hard_state = hard_state;
    }

    /// Takes in new entries; what is there from the first one's index on is replaced.
    pub(crate) fn append(&mut self, new: &[Entry]) {
        let Some(first) = new.first().map(Entry::get_index) else {
            return;
        };
        assert!(
            self.first() <= first && first <= self.last() + 1,
            "raft appends at {first}, but the log holds {}..={}",
            self.first(),
            self.last()
        );
        while self.last() >= first {
            let replaced = self.entries.pop_back();
            self.bytes -= size(&replaced.expect("last() ≥ first() means that there is an entry"));
        }
        self.bytes += new.iter().map(size).sum::<u64>();
        self.entries.extend(new.iter().cloned());
    }

    /// Forgets entries up to `index`; returns the new compaction point if it moved.
    pub(crate) fn compact(&mut self, index: u64) -> Option<(u64, u64)> {
        if index <= self.compacted.0 {
            return None;
        }
        assert!(
            index <= self.last(),
            "compaction to {index} beyond the last index {}",
            self.last()
        );
        while self.compacted.0 < index {
            let gone = self
                .entries
                .pop_front()
                .expect("index ≤ last() means that there is an entry");
            self.bytes -= size(&gone);
            self.compacted = (gone.get_index(), gone.get_term());
        }
        Some(self.compacted)
    }

    fn at(&self, index: u64) -> Option<&Entry> {
        let offset = index.checked_sub(self.first())?;
        self.entries.get(usize::try_from(offset).ok()?)
    }
}

/// Added to the data of an entry in limits: its own fields.
const ENTRY_EXTRA: u64 = 32;

/// What an entry counts for in limits.
fn size(entry: &Entry) -> u64 {
    (entry.get_data().len() + entry.get_context().len()) as u64 + ENTRY_EXTRA
}

impl Storage for LogView {
    fn initial_state(&self) -> Result<RaftState> {
        Ok(RaftState::new(self.hard_state.clone(), self.conf_state.clone()))
    }

    fn entries(&self, low: u64, high: u64, max: impl Into<Option<u64>>, _: GetEntriesContext) -> Result<Vec<Entry>> {
        if low < self.first() {
            return Err(Error::Store(StorageError::Compacted));
        }
        assert!(
            high <= self.last() + 1,
            "raft asks for entries up to {high}, the last is {}",
            self.last()
        );
        let max = max.into().unwrap_or(u64::MAX);
        let mut total = 0;
        let mut found = Vec::new();
        for entry in (low..high).map_while(|i| self.at(i)) {
            total += size(entry);
            // At least one, or an entry above the limit would never be sent.
            if total > max && !found.is_empty() {
                break;
            }
            found.push(entry.clone());
        }
        Ok(found)
    }

    fn term(&self, index: u64) -> Result<u64> {
        if index == self.compacted.0 {
            return Ok(self.compacted.1);
        }
        if index < self.compacted.0 {
            return Err(Error::Store(StorageError::Compacted));
        }
        self.at(index)
            .map(Entry::get_term)
            .ok_or(Error::Store(StorageError::Unavailable))
    }

    fn first_index(&self) -> Result<u64> {
        Ok(self.first())
    }

    fn last_index(&self) -> Result<u64> {
        Ok(self.last())
    }

    fn snapshot(&self, _: u64, to: u64) -> Result<Snapshot> {
        // The library would put the whole transfer between two of its steps. The member is told to pull instead.
        self.wanting.borrow_mut().insert(to);
        Err(Error::Store(StorageError::SnapshotTemporarilyUnavailable))
    }
}

#[cfg(test)]
#[path = "log_view_test.rs"]
mod tests;
