//! Committed entries that the store has not been given yet: a stretch of the log, not a copy of it.

use super::log_view::LogView;
use covey_store::log::LogEntry;

use super::convert;

/// Everything after `given`, up to `committed`.
#[derive(Debug)]
pub(super) struct Backlog {
    given: u64,
    committed: u64,
    bytes: u64,
    /// The store works on entries of this group; one batch at a time, so that what arrives meanwhile is the next one.
    pub(super) applying: bool,
}

impl Backlog {
    /// The store has everything up to `applied`.
    pub(super) fn new(applied: u64) -> Backlog {
        Backlog {
            given: applied,
            committed: applied,
            bytes: 0,
            applying: false,
        }
    }

    /// The library says that entries up to this one are committed and on disk.
    pub(super) fn grow(&mut self, committed: u64, log: &LogView) {
        self.bytes += log.data_bytes(self.committed, committed);
        self.committed = committed;
    }

    /// Another store takes the place of the one before: it has everything up to `applied`.
    pub(super) fn restart(&mut self, applied: u64, log: &LogView) {
        (self.given, self.committed) = (applied, self.committed.max(applied));
        self.bytes = log.data_bytes(self.given, self.committed);
    }

    /// The log begins anew behind `index`, and so does the store.
    pub(super) fn begin_anew(&mut self, index: u64) {
        (self.given, self.committed, self.bytes) = (index, index, 0);
    }

    /// Of data.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next entries for the store, of about `max` bytes; none while it works.
    pub(super) fn give(&mut self, max: u64, log: &LogView) -> Vec<LogEntry> {
        if self.applying {
            return Vec::new();
        }
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for entry in log.after(self.given).take((self.committed - self.given) as usize) {
            if bytes >= max {
                break;
            }
            bytes += (entry.get_data().len() + entry.get_context().len()) as u64;
            entries.push(convert::log_entry(entry));
        }
        self.given += entries.len() as u64;
        self.bytes -= bytes;
        self.applying = !entries.is_empty();
        entries
    }
}
