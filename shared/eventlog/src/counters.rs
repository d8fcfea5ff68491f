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
    /// Rows lost because the disk took none for too long, or files that are not sealed take up all that the log may take.
    disk_dropped_rows,
    /// Operations of the disk that failed; all are tried again.
    disk_errors,
    /// Bytes of writes that a crash interrupted, cut when their file was sealed.
    torn_bytes,
    /// Attempts to seal a file that is damaged, or holds a whole frame without rows of this release and its kind. It stays where it is.
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
