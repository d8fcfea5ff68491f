//! Why the key-value store failed.

use std::io;
use std::path::{Path, PathBuf};

/// Any failure of the key-value store.
#[derive(Debug, thiserror::Error)]
pub enum KvError {
    /// The LSM failed.
    #[error("cannot {what} in the store {}", dir.display())]
    Lsm {
        /// What was tried.
        what: &'static str,
        /// The store's directory.
        dir: PathBuf,
        /// What it said.
        source: fjall::Error,
    },
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
    /// Something that was durable is damaged.
    #[error(
        "the store is damaged in {} at byte {offset}; keep it as it is and leave the node off; what to do is in docs/running.md, under \"The log is damaged\"",
        path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
    },
    /// The journal is not what it was when it was synced.
    #[error(
        "{} does not hold what was synced into it; keep it as it is and leave the node off; what to do is in docs/running.md, under \"The log is damaged\"",
        path.display()
    )]
    Journal {
        /// The journal.
        path: PathBuf,
    },
    /// Written by a newer release.
    #[error("{} has format version {found}, this release reads up to {supported}; start the newer release", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version known here.
        supported: u32,
    },
    /// A batch with a key or value out of bounds. Nothing was changed.
    #[error("the batch is refused: {0}")]
    Limit(KvLimit),
    /// An earlier write or sync failed.
    #[error("the store in {} is closed since a write failed; the process has to end and recover", dir.display())]
    Poisoned {
        /// The store's directory.
        dir: PathBuf,
    },
}

/// Says what was tried on which file or directory.
pub(super) fn io_at<'a>(what: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> KvError + 'a {
    move |source| KvError::Io {
        what,
        path: path.to_owned(),
        source,
    }
}

/// A bound that a batch breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KvLimit {
    /// The length of a key.
    #[error("a key has {bytes} bytes, allowed are 1 to {}", super::MAX_KEY)]
    Key {
        /// Its length.
        bytes: usize,
    },
    /// The length of a value.
    #[error("a value has {bytes} bytes, allowed are up to {}", super::MAX_VALUE)]
    Value {
        /// Its length.
        bytes: usize,
    },
}
