//! Why a row file failed.

use std::io;
use std::path::PathBuf;

use crate::is_unreadable;

/// Any failure of a row file.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// The disk failed.
    #[error("cannot {what} {}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
    /// The header is damaged, or the file is none of ours.
    #[error("{} does not have a whole row file header; what to do is in docs/running.md, under \"Stores are damaged\"", path.display())]
    Header {
        /// The file.
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
    /// The file is shorter than the rows that the caller says are in it.
    #[error("{} holds {capacity} rows, but {rows} were expected; what to do is in docs/running.md, under \"Stores are damaged\"", path.display())]
    Short {
        /// The file.
        path: PathBuf,
        /// Rows that its length has room for.
        capacity: u64,
        /// Rows that should be there.
        rows: u64,
    },
    /// The caller asked for a file that cannot be.
    #[error("{} cannot have rows of {row_bytes} bytes, {capacity} of them, and a description of {description} bytes", path.display())]
    Spec {
        /// The file.
        path: PathBuf,
        /// Bytes of a row.
        row_bytes: u32,
        /// Rows.
        capacity: u64,
        /// Bytes of the description.
        description: usize,
    },
    /// What was appended is not a whole number of rows.
    #[error("{bytes} bytes are not whole rows of {row_bytes} bytes for {}", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// Bytes given.
        bytes: usize,
        /// Bytes of a row.
        row_bytes: u32,
    },
    /// There is no room for the rows.
    #[error("{} is full: it holds {capacity} rows", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// Rows it can hold.
        capacity: u64,
    },
    /// Rows that do not exist were asked for.
    #[error("{} has {len} rows, rows {start} to {end} were asked for", path.display())]
    Range {
        /// The file.
        path: PathBuf,
        /// First row asked for.
        start: u64,
        /// The row after the last asked for.
        end: u64,
        /// Rows there are.
        len: u64,
    },
    /// The disk has no files that can be mapped: use the other form.
    #[error("{} cannot be memory-mapped on this disk", path.display())]
    NotMappable {
        /// The file.
        path: PathBuf,
    },
}

impl RowError {
    /// Whether rows that were written cannot be read back.
    pub fn is_damage(&self) -> bool {
        match self {
            RowError::Header { .. } | RowError::Short { .. } => true,
            RowError::Io { source, .. } => is_unreadable(source),
            _ => false,
        }
    }
}
