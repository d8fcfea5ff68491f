//! Where records come from: numbered rows, good and bad, read one at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::record::Record;

/// One row of an input.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Line (of text), row (of a binary file) or number (of a generated record), from 1.
    pub line: u64,
    /// What it holds.
    pub content: Content,
}

/// What a row holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Something to write.
    Record(Box<Record>),
    /// Nothing usable, and why. Counted and reported, never fatal.
    Bad(String),
}

impl Row {
    pub(crate) fn record(line: u64, record: Record) -> Row {
        Row {
            line,
            content: Content::Record(Box::new(record)),
        }
    }

    pub(crate) fn bad(line: u64, why: impl ToString) -> Row {
        Row {
            line,
            content: Content::Bad(why.to_string()),
        }
    }
}

/// How much there is to read.
#[derive(Clone, Debug)]
pub enum Total {
    /// So many rows.
    Rows(u64),
    /// A file of so many bytes (as stored), of which some are read.
    Bytes(u64, BytesRead),
    /// A pipe.
    Unknown,
}

/// Bytes taken from a file so far.
#[derive(Clone, Debug, Default)]
pub struct BytesRead(Arc<AtomicU64>);

impl BytesRead {
    pub(crate) fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// The count.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// An opened input.
pub struct Source {
    /// Its rows, in order; the same rows each time it is opened.
    pub rows: Box<dyn Iterator<Item = Row> + Send>,
    /// For the progress bar.
    pub total: Total,
}
