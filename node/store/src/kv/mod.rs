//! The node-wide ordered key-value store. [`FjallKv`] is the production form; [`JournalKv`] runs on any [`Disk`] and so in
//! the simulator.
//!
//! After a crash the store holds the first batches that were committed, in order, among them all before the last
//! [`KvStore::persist`].
//!
//! [`Disk`]: covey_env::Disk

mod error;
mod fjall;
mod journal;
mod synced;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Bound, ControlFlow};

use bytes::Bytes;

pub use error::{KvError, KvLimit};
pub use fjall::{FjallKv, FjallOptions};
pub use journal::JournalKv;

/// The longest key, in bytes. Keys are not empty.
pub const MAX_KEY: usize = 1024;
/// The longest value, in bytes.
pub const MAX_VALUE: usize = 16 << 20;

/// Changes that are all made or none. The last change of a key stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KvBatch {
    changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

/// A range of keys in byte order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    start: Bound<Vec<u8>>,
    end: Bound<Vec<u8>>,
}

type Bounds<'a> = (Bound<&'a [u8]>, Bound<&'a [u8]>);

/// What a store takes, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KvUsage {
    /// Bytes on disk, journal included.
    pub disk_bytes: u64,
    /// Bytes of that in the journal.
    pub journal_bytes: u64,
    /// Keys, roughly: overwritten and deleted ones may count.
    pub approximate_len: u64,
    /// Bytes in memory of what is not written as tables yet.
    pub memtable_bytes: u64,
    /// Bytes in memory of cached blocks.
    pub cache_bytes: u64,
    /// Bytes in memory of the indexes and filters of tables, as far as they are kept outside of the cache.
    pub index_bytes: u64,
}

/// What a scan calls for each pair, in key order, until told to stop.
pub type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// Reads of one moment or of the newest state.
pub trait KvRead: Send + Sync + fmt::Debug {
    /// The value of a key.
    ///
    /// # Errors
    /// The disk failed or a block is damaged.
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, KvError>;

    /// Visits the pairs of a range in key order. What it sees is the state of one moment: commits during the scan, also
    /// by the visitor, don't show.
    ///
    /// # Errors
    /// The disk failed or a block is damaged.
    fn scan(&self, range: &KeyRange, visit: &mut Visit<'_>) -> Result<(), KvError>;
}

/// The store. Every call may block, commits even for long when the store throttles: never on an arbiter.
pub trait KvStore: KvRead {
    /// Reads of this moment, for as long as it is kept. Old versions stay on disk meanwhile: minutes, not days.
    fn snapshot(&self) -> Box<dyn KvRead>;

    /// Makes all changes of a batch at once, visible to reads but not yet durable.
    ///
    /// # Errors
    /// [`KvError::Limit`]: nothing was changed. Anything else: the process has to end.
    fn commit(&self, batch: &KvBatch) -> Result<(), KvError>;

    /// Returns once everything committed before survives a power loss.
    ///
    /// # Errors
    /// Nothing is then known about what the disk kept: the process has to end.
    fn persist(&self) -> Result<(), KvError>;

    /// What the store takes.
    ///
    /// # Errors
    /// The disk failed.
    fn usage(&self) -> Result<KvUsage, KvError>;
}

impl KvBatch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> KvBatch {
        KvBatch::default()
    }

    /// Sets a key.
    pub fn put(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> &mut KvBatch {
        self.changes.insert(key.into(), Some(value.into()));
        self
    }

    /// Removes a key; one that does not exist is fine.
    pub fn delete(&mut self, key: impl Into<Vec<u8>>) -> &mut KvBatch {
        self.changes.insert(key.into(), None);
        self
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// How many keys change.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// The changes in key order; `None` removes.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.changes
            .iter()
            .map(|(key, value)| (key.as_slice(), value.as_deref()))
    }

    fn check(&self) -> Result<(), KvError> {
        for (key, value) in self.iter() {
            if key.is_empty() || key.len() > MAX_KEY {
                return Err(KvError::Limit(KvLimit::Key { bytes: key.len() }));
            }
            if let Some(value) = value.filter(|value| value.len() > MAX_VALUE) {
                return Err(KvError::Limit(KvLimit::Value { bytes: value.len() }));
            }
        }
        Ok(())
    }
}

impl KeyRange {
    /// The keys between two bounds. Empty if the end lies before the start.
    #[must_use]
    pub fn new(start: Bound<Vec<u8>>, end: Bound<Vec<u8>>) -> KeyRange {
        KeyRange { start, end }
    }

    /// All keys.
    #[must_use]
    pub fn all() -> KeyRange {
        KeyRange {
            start: Bound::Unbounded,
            end: Bound::Unbounded,
        }
    }

    /// The keys that begin with `prefix`.
    #[must_use]
    pub fn prefix(prefix: &[u8]) -> KeyRange {
        let mut end = prefix.to_vec();
        while end.last() == Some(&u8::MAX) {
            end.pop();
        }
        let end = match end.last_mut() {
            Some(last) => {
                *last += 1;
                Bound::Excluded(end)
            }
            None => Bound::Unbounded,
        };
        KeyRange {
            start: Bound::Included(prefix.to_vec()),
            end,
        }
    }

    /// The keys from `start` on and before `end`.
    #[must_use]
    pub fn between(start: &[u8], end: &[u8]) -> KeyRange {
        KeyRange {
            start: Bound::Included(start.to_vec()),
            end: Bound::Excluded(end.to_vec()),
        }
    }

    /// The bounds if any key can lie between them. The collections below panic on others.
    fn bounds(&self) -> Option<Bounds<'_>> {
        let (start, end) = (
            self.start.as_ref().map(Vec::as_slice),
            self.end.as_ref().map(Vec::as_slice),
        );
        let empty = match (start, end) {
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
            (Bound::Included(start), Bound::Included(end)) => start > end,
            (Bound::Included(start) | Bound::Excluded(start), Bound::Included(end) | Bound::Excluded(end)) => {
                start >= end
            }
        };
        (!empty).then_some((start, end))
    }
}
