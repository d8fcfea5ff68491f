//! What the log has written and lost, since the start of the process.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)*) => {
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: AtomicU64,)*
        }

        /// What the log has written and lost since the start of the process.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Totals {
            $($(#[doc = $doc])+ pub $name: u64,)*
        }

        impl Counters {
            pub(crate) fn totals(&self) -> Totals {
                Totals { $($name: self.$name.load(Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Rows that are synced.
    written_rows,
    /// Rows lost because the queue was full, or the log had stopped.
    queue_dropped_rows,
    /// Rows lost behind the queue: the directory could not be used, the disk took no writes for too long or until the end, or files
    /// that are not sealed took up all that the log may take.
    disk_dropped_rows,
    /// Attempts to write, to seal or to delete that failed, for whatever reason. They are made again; rows are lost only by the
    /// counters above.
    disk_errors,
    /// Bytes behind the last whole frame of files that were sealed and removed: what a crash left of a write.
    torn_bytes,
    /// Attempts to seal a file that is damaged, that another release wrote, or whose rows are not of its kind: one file counts at
    /// each attempt. It stays where it is.
    unreadable_files,
    /// Parquet files made.
    sealed_files,
    /// Files deleted because the log took more of the disk than it may.
    deleted_files,
    /// Their bytes.
    deleted_bytes,
}

pub(crate) fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Relaxed);
}

impl Totals {
    /// Rows that are in no file and never will be.
    pub fn lost_rows(&self) -> u64 {
        self.queue_dropped_rows + self.disk_dropped_rows
    }

    /// What an operator should hear of: it grows when something was lost or went wrong.
    pub(crate) fn losses(&self) -> u64 {
        self.lost_rows() + self.disk_errors + self.torn_bytes + self.unreadable_files
    }
}
