//! The replicated log of a node: one write-ahead log shared by all its Raft groups.
//!
//! ```text
//! LogBatch ──append──▶ one record (atomic) ──sync──▶ durable ──▶ segments nobody needs are recycled
//! ```
//! [`Wal`] keeps it on a disk, [`MemoryLog`] in memory as the oracle of tests. Indexes and terms are raw integers here:
//! this is the seam to the raft crate and the codec of the disk.

mod batch;
mod codec;
mod error;
mod group;
mod index;
mod memory;
pub(crate) mod record;
mod recovery;
mod segment;
mod tail;
mod wal;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use bincode::{Decode, Encode};
use bytes::Bytes;

pub use batch::LogBatch;
pub use error::{Damage, LogError, Rejection};
pub use memory::{MemoryImage, MemoryLog};
pub use wal::{Wal, WalOptions};

/// One Raft group as the log knows it. The caller gives every incarnation of a replica its own number and never uses
/// it again: a tombstone is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct GroupId(pub u64);

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What an entry carries. Numbers are part of the disk format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A proposal of the state machine, or the empty entry of a new leader.
    Normal = 0,
    /// A membership change (raft's `ConfChangeV2`).
    ConfChange = 1,
}

/// One entry of a group's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Position, ≥ 1, contiguous within a group.
    pub index: u64,
    /// Term of the leader that proposed it.
    pub term: u64,
    /// What `data` is.
    pub kind: EntryKind,
    /// The proposal; opaque here.
    pub data: Bytes,
}

/// What a replica must not forget about elections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct HardState {
    /// The newest term seen.
    pub term: u64,
    /// The replica voted for in that term; 0 for none.
    pub vote: u64,
    /// The highest index known to be committed. May lag behind: it needs no sync.
    pub commit: u64,
}

/// An index and the term of the entry there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct LogPosition {
    /// The index; 0 before the first entry.
    pub index: u64,
    /// The term; 0 before the first entry.
    pub term: u64,
}

/// What `append` did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Sequence of the last record written; it grows, with holes.
    pub seq: u64,
    /// Bytes written, with headers and padding.
    pub bytes: u64,
}

/// The state of one group as found at start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoveredGroup {
    /// Term, vote, commit.
    pub hard_state: HardState,
    /// Everything up to here is compacted away; entries begin at `compacted.index + 1`.
    pub compacted: LogPosition,
    /// The entries, contiguous.
    pub entries: Vec<LogEntry>,
    /// The group was destroyed here and must not come back. It then has no entries.
    pub tombstone: bool,
}

impl RecoveredGroup {
    /// Last index of the log.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.entries.last().map_or(self.compacted.index, |entry| entry.index)
    }
}

/// What was found at start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Every group ever created here.
    pub groups: BTreeMap<GroupId, RecoveredGroup>,
    /// The unfinished write that a crash left at the end, if any. It was never acknowledged.
    pub torn: Option<TornTail>,
}

/// Records at the end of the log that were never synced and were cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// The segment.
    pub path: PathBuf,
    /// Where in it the log now ends.
    pub offset: u64,
    /// How many bytes of unfinished records followed.
    pub bytes: u64,
}

/// How much room the log takes, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogUsage {
    /// Segments in use.
    pub segments: usize,
    /// Segments kept to be written again.
    pub spares: usize,
    /// Approximate bytes of entries that are not compacted.
    pub live_bytes: u64,
    /// A group whose entries keep the oldest segment alive. Appending that group's entries again moves them to the
    /// newest segment and frees the old one.
    pub pinned_by: Option<GroupId>,
}

/// The log of a node. One owner (the log writer); nothing here is thread-safe, and every call may block on the disk.
pub trait LogStore: Send + fmt::Debug {
    /// Writes a batch without waiting for the disk. It is all there after a crash, or not at all; batches larger than a
    /// segment are split, but never inside the part of one group. A run of entries that starts at or below what exists
    /// replaces the suffix.
    ///
    /// # Errors
    /// [`LogError::Rejected`], [`LogError::TooLarge`], [`LogError::Full`]: nothing was written, and the log goes on.
    /// [`LogError::Io`] and [`LogError::Poisoned`]: the process has to end.
    fn append(&mut self, batch: &LogBatch) -> Result<Appended, LogError>;

    /// Returns once all appended batches survive a power loss.
    ///
    /// # Errors
    /// After an error nothing is known about what the disk kept: the log refuses all further use, and the process has
    /// to end.
    fn sync(&mut self) -> Result<(), LogError>;

    /// Room taken, for metrics.
    fn usage(&self) -> LogUsage;
}
