//! Why the log could not be opened or written.

use std::io;
use std::path::{Path, PathBuf};

use covey_shared::ids::{ClusterId, NodeId};

use super::GroupId;

/// Any failure of the log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The disk failed.
    #[error("cannot {what} {}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
    /// Something that was durable is damaged or gone. Nothing was changed. The node has to stay off until its replicas can be
    /// rebuilt from their peers.
    #[error(
        "the log is damaged in {} at byte {offset}: {damage}. Entries that were acknowledged may be lost, so this node \
         must not vote with it. Keep the directory as it is and leave the node off; the others go on. What to do then is in \
         docs/running.md, under \"The log is damaged\"",
        path.display()
    )]
    Corrupt {
        /// The segment.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        damage: Damage,
    },
    /// Written by a newer release.
    #[error("{} has format version {found}, this release reads up to {supported}; start the newer release", path.display())]
    Version {
        /// The segment.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version known here.
        supported: u32,
    },
    /// The directory is another node's.
    #[error(
        "{} belongs to {found_node:?} of {found_cluster:?}, but this is {node:?} of {cluster:?}; \
         point data_dir to this node's own directory",
        path.display()
    )]
    WrongOwner {
        /// The segment.
        path: PathBuf,
        /// The cluster that wrote it.
        found_cluster: ClusterId,
        /// The node that wrote it.
        found_node: NodeId,
        /// The cluster that opened it.
        cluster: ClusterId,
        /// The node that opened it.
        node: NodeId,
    },
    /// The disk has no room for another segment. Nothing was written; the log goes on once there is room.
    #[error("the disk is full: cannot make the segment {}", path.display())]
    Full {
        /// The segment.
        path: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
    /// One group's part of a batch does not fit into a segment. Nothing was written.
    #[error("a record of {bytes} bytes does not fit into a segment, which holds {limit}; raise the segment size")]
    TooLarge {
        /// Encoded size.
        bytes: u64,
        /// The most that fits.
        limit: u64,
    },
    /// The batch contradicts what the log holds. Nothing was written.
    #[error("the log refuses a change of group {group}: {reason}")]
    Rejected {
        /// The group.
        group: GroupId,
        /// Why.
        reason: Rejection,
    },
    /// An earlier write or sync failed.
    #[error("the log in {} is closed since a write failed; the process has to end and recover", dir.display())]
    Poisoned {
        /// The log's directory.
        dir: PathBuf,
    },
}

/// What is damaged.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// The first block of a segment.
    #[error("the header does not match its checksum")]
    Header,
    /// A segment is shorter than it was made.
    #[error("the file has {found} of {expected} bytes: its end is cut off")]
    Cut {
        /// Its length.
        found: u64,
        /// What it was made with.
        expected: u64,
    },
    /// A segment carries another number than its file name.
    #[error("the header says segment {found}")]
    Number {
        /// The number in the header.
        found: u64,
    },
    /// A segment between two others is gone.
    #[error("segment {number} is missing")]
    MissingSegment {
        /// Its number.
        number: u64,
    },
    /// A record is unreadable though later ones say that it had been synced.
    #[error("record {seq} is unreadable, but it had been synced: a later one says so")]
    Record {
        /// The sequence of the unreadable record.
        seq: u64,
    },
    /// A record passes its checksum but cannot be decoded.
    #[error("record {seq} does not decode")]
    Body {
        /// Its sequence.
        seq: u64,
        /// Where decoding stopped.
        source: bincode::error::DecodeError,
    },
    /// A record contradicts the ones before it.
    #[error("record {seq} contradicts the ones before it in group {group}: {reason}")]
    Contradiction {
        /// Its sequence.
        seq: u64,
        /// The group.
        group: GroupId,
        /// How.
        reason: Rejection,
    },
    /// Entries that are not compacted are in no segment.
    #[error("entries {from} to {to} of group {group} are in no segment")]
    Entries {
        /// The group.
        group: GroupId,
        /// First missing index.
        from: u64,
        /// Last missing index.
        to: u64,
    },
}

/// How a change contradicts the state of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Change of a group that was never created.
    #[error("it does not exist")]
    Unknown,
    /// A second creation.
    #[error("it exists already")]
    Exists,
    /// Change of a destroyed group.
    #[error("it was destroyed")]
    Tombstone,
    /// A run of entries that does not join on.
    #[error("entries begin at {from}, after a hole: the log ends at {last}")]
    Hole {
        /// First index of the run.
        from: u64,
        /// Last index of the log.
        last: u64,
    },
    /// A run that skips or repeats an index, or is empty.
    #[error("the run of entries is empty or not contiguous")]
    NotContiguous,
    /// A change of what is compacted.
    #[error("index {from} is compacted: the log begins after {compacted}")]
    Compacted {
        /// First index of the change.
        from: u64,
        /// The compacted index.
        compacted: u64,
    },
}

/// Adds what was tried and where to an I/O error.
pub(crate) fn io_at<'a>(what: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> LogError + 'a {
    move |source| LogError::Io {
        what,
        path: path.to_owned(),
        source,
    }
}
