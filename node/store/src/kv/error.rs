//! Why the key-value store failed.

use std::io;
use std::path::{Path, PathBuf};

use crate::is_unreadable;

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
        "the store is damaged in {} at byte {offset}; what to do is in docs/running.md, under \"Stores are damaged\"",
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
        "{} does not hold what was synced into it; what to do is in docs/running.md, under \"Stores are damaged\"",
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

impl KvError {
    /// Whether what was stored cannot be read back as it was written, or at all: it is gone from this disk. Not: a full
    /// disk, missing rights, another process, another release.
    pub fn is_damage(&self) -> bool {
        match self {
            KvError::Corrupt { .. } | KvError::Journal { .. } => true,
            KvError::Io { source, .. } => is_unreadable(source),
            KvError::Lsm { source, .. } => match source {
                fjall::Error::Storage(source) => lsm_is_damaged(source),
                fjall::Error::Io(source) => is_unreadable(source),
                fjall::Error::JournalRecovery(_)
                | fjall::Error::Decompress(_)
                | fjall::Error::InvalidTrailer
                | fjall::Error::InvalidTag(_)
                | fjall::Error::Unrecoverable => true,
                _ => false,
            },
            KvError::Version { .. } | KvError::Limit(_) | KvError::Poisoned { .. } => false,
        }
    }
}

fn lsm_is_damaged(error: &fjall::LsmError) -> bool {
    match error {
        fjall::LsmError::Io(source) => is_unreadable(source),
        fjall::LsmError::InvalidVersion(_) => false,
        _ => true,
    }
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
