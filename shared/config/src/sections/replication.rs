//! Raft and its log.

use std::time::Duration;

use crate::section::section;
use crate::units::ByteSize;

section! {
    /// Raft groups and the write-ahead log that all groups of a node share.
    pub struct RaftConfig = "raft" {
        /// One step of the logical clock of every group.
        tick: Duration = "100ms", in "10ms"..="10s";
        /// Ticks without a heartbeat before a follower campaigns; up to twice as many, at random.
        /// Twice as many for each election in a row that gave no leader, up to 8 times.
        election_ticks: usize = 10, in 3..=1000;
        /// Ticks between heartbeats.
        heartbeat_ticks: usize = 2, in 1..=100;
        /// Ticks made up for at once after a stall, so that a stall does not start an election.
        max_catch_up_ticks: usize = 2, in 1..=100;
        /// Entries in one append message, by size.
        max_size_per_msg: ByteSize = "128KiB", in "4KiB"..="8MiB";
        /// Append messages on the way to one follower of one group.
        max_inflight_msgs: usize = 64, in 1..=4096;
        /// Proposals of one group not yet committed; further ones are refused.
        max_uncommitted: ByteSize = "64MiB", in "1MiB"..="4GiB";
        /// Largest proposal.
        max_entry: ByteSize = "1MiB", in "16KiB"..="16MiB";
        /// Items in one proposal.
        max_batch_items: usize = 1000, in 1..=10_000;
        /// Raft messages that wait for one peer; when full the newest append is dropped.
        peer_queue: ByteSize = "4MiB", in "64KiB"..="256MiB";
        /// Committed entries of one node that wait to be applied; when full, proposals are refused.
        apply_backlog: ByteSize = "64MiB", in "1MiB"..="4GiB";
        /// Messages that wait in the Raft actor's mailbox.
        mailbox: usize = 4096, in 64..=65_536;
        /// Size of one log file; it is filled with zeros first, so that appending changes no metadata.
        wal_segment: ByteSize = "64MiB", in "1MiB"..="1GiB";
        /// Entries of each group kept although every member has them; fewer where they would keep an old log file.
        keep_entries: u64 = 10_000, in 0..=10_000_000;
        /// Entries of a node's log kept for members that are away. One that needs older ones pulls a snapshot.
        max_lag: ByteSize = "256MiB", in "64KiB"..="256GiB";
        /// Bytes per second at which a node pulls snapshots.
        snapshot_rate: ByteSize = "50MiB", in "64KiB"..="100GiB";
        /// A snapshot that nobody asked for in this time is removed; the log behind it is kept as long. Taking a fetched one in
        /// must be shorter.
        snapshot_lease: Duration = "5m", in "1s"..="1h";
        /// Entries of a node's log that some member lacks or no checkpoint covers; when there are more, proposals are refused.
        max_wal: ByteSize = "1GiB", in "64MiB"..="1TiB";
    }
}
