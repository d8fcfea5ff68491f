//! The event log.

use std::time::Duration;

use crate::section::section;
use crate::units::ByteSize;

section! {
    /// The event log: each coordinator writes down what its feeds showed and which actions it recorded, as Parquet files that training
    /// reads (docs/event-log.md). A disk that is slow or full costs rows of the log, and no request.
    pub struct EventLogConfig = "event_log" {
        /// Whether to keep one.
        enabled: bool = true, in ..;
        /// Its directory, relative to the working directory; coordinators of one machine may share it. Empty: events, below
        /// cluster.data_dir.
        dir: String = "", in ..;
        /// What it may take on disk; with more, the oldest hours are deleted. So they are before too little of the disk is free for a node
        /// (storage.min_free_disk_ratio).
        budget: ByteSize = "4GiB", in "128MiB"..="16TiB";
        /// A file can be read when its hour is over, or this long after its first row.
        rotate: Duration = "1h", in "1s"..="1h";
        /// Rows that wait for the disk, in memory; with more, new ones are dropped and counted.
        queue: usize = 65_536, in 10_000..=10_000_000;
    }
}
