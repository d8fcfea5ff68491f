//! Files of fixed-width rows, append-only, read by many threads while one appends. [`MmapRowFile`] is the production form,
//! [`ReadAtRowFile`] the one for the simulator.
//!
//! A file has its whole capacity from the start, as a hole, so that a memory map of it never moves. How many rows count is
//! not kept in the file: whoever opens it says so (from its checkpoint), and later rows are overwritten.

mod error;
mod file;
mod mmap;
mod read_at;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::path::Path;

pub use error::RowError;
pub use mmap::MmapRowFile;
pub use read_at::ReadAtRowFile;

/// Bytes before the first row.
pub const HEADER_BYTES: usize = 4096;
/// The longest description that fits into the header, in bytes.
pub const MAX_DESCRIPTION: usize = HEADER_BYTES - 64;

/// What a new file is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFileSpec {
    /// Bytes of a row, 1 to 1 MiB.
    pub row_bytes: u32,
    /// The most rows it can hold, at least one.
    pub capacity: u64,
    /// What the rows are (dimension, type, vector space…), in the caller's own format; opaque here, protected by a
    /// checksum. At most [`MAX_DESCRIPTION`] bytes.
    pub description: Vec<u8>,
}

/// A file of rows. One thread appends at a time (others wait), any number read. Reads of the memory-mapped form may block
/// on a page fault, of the other form on a read.
pub trait RowFile: Send + Sync + fmt::Debug {
    /// Where it lies.
    fn path(&self) -> &Path;

    /// What it was made as; `capacity` is the present one.
    fn spec(&self) -> &RowFileSpec;

    /// How many rows can be read. Only ever grows while the file is shared.
    fn len(&self) -> u64;

    /// Whether there is no row.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends whole rows and returns the ordinal of the first. They are visible at once and durable after `sync`.
    ///
    /// # Errors
    /// [`RowError::Length`], [`RowError::Full`]: nothing was appended. After [`RowError::Io`] nothing was appended either.
    fn append(&self, rows: &[u8]) -> Result<u64, RowError>;

    /// One row.
    ///
    /// # Errors
    /// [`RowError::Range`] if there is no such row; the read failed.
    fn row(&self, ordinal: u64) -> Result<Cow<'_, [u8]>, RowError> {
        self.rows(ordinal..ordinal.saturating_add(1))
    }

    /// Consecutive rows, end to end.
    ///
    /// # Errors
    /// [`RowError::Range`] if one of them does not exist; the read failed.
    fn rows(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>, RowError>;

    /// Returns once all rows appended before survive a power loss.
    ///
    /// # Errors
    /// Nothing is then known about what the disk kept: the process has to end.
    fn sync(&self) -> Result<(), RowError>;

    /// Forgets the rows at `len` and after; their places are appended to again.
    ///
    /// # Errors
    /// [`RowError::Range`] if there are fewer rows.
    fn truncate(&mut self, len: u64) -> Result<(), RowError>;

    /// Gives up the room behind the last row, durably: the file is then exactly as long as its rows, and full.
    ///
    /// # Errors
    /// The disk failed.
    fn seal(&mut self) -> Result<(), RowError>;
}
