//! The log in memory: the plain statement of what a log does, to compare the real one with.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::group::{Images, apply};
use super::{Appended, LogBatch, LogError, LogStore, LogUsage, Recovered};

/// The disk of a [`MemoryLog`]; clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct MemoryImage(Arc<Mutex<Batches>>);

#[derive(Debug, Default)]
struct Batches {
    all: Vec<LogBatch>,
    synced: usize,
}

/// A [`LogStore`] for tests. It forgets nothing, so it grows without bound.
#[derive(Debug)]
pub struct MemoryLog {
    image: MemoryImage,
    groups: Images,
}

impl MemoryImage {
    fn batches(&self) -> MutexGuard<'_, Batches> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a power loss leaves: everything synced and the first `unsynced` batches after that.
    pub fn power_loss(&self, unsynced: usize) {
        let mut batches = self.batches();
        let keep = batches.synced.saturating_add(unsynced);
        batches.all.truncate(keep);
    }

    /// How many batches there are, and how many of them are synced.
    #[must_use]
    pub fn written_and_synced(&self) -> (usize, usize) {
        let batches = self.batches();
        (batches.all.len(), batches.synced)
    }
}

impl MemoryLog {
    /// Opens the log on `image`.
    ///
    /// # Panics
    /// Never: an image only holds what a log accepted.
    #[must_use]
    pub fn open(image: &MemoryImage) -> (MemoryLog, Recovered) {
        let mut groups = Images::new();
        let mut batches = image.batches();
        for change in batches.all.iter().flat_map(|batch| &batch.changes) {
            apply(&mut groups, change.clone()).expect("an image only holds what a log accepted");
        }
        batches.synced = batches.all.len();
        drop(batches);
        let log = MemoryLog {
            image: image.clone(),
            groups,
        };
        let recovered = log.state();
        (log, recovered)
    }

    /// Whether `append` would take the batch.
    pub(crate) fn accepts(&self, batch: &LogBatch) -> bool {
        self.after(batch).is_ok()
    }

    fn after(&self, batch: &LogBatch) -> Result<Images, LogError> {
        let mut groups = self.groups.clone();
        for change in &batch.changes {
            let group = change.group();
            apply(&mut groups, change.clone()).map_err(|reason| LogError::Rejected { group, reason })?;
        }
        Ok(groups)
    }

    /// What a crash-free reopening would find.
    #[must_use]
    pub fn state(&self) -> Recovered {
        let groups = self
            .groups
            .iter()
            .map(|(group, image)| (*group, image.clone().into_recovered()));
        Recovered {
            groups: groups.collect(),
            torn: None,
        }
    }
}

impl LogStore for MemoryLog {
    fn append(&mut self, batch: &LogBatch) -> Result<Appended, LogError> {
        self.groups = self.after(batch)?;
        let mut batches = self.image.batches();
        batches.all.push(batch.clone());
        Ok(Appended {
            seq: batches.all.len() as u64,
            bytes: 0,
        })
    }

    fn sync(&mut self) -> Result<(), LogError> {
        let mut batches = self.image.batches();
        batches.synced = batches.all.len();
        Ok(())
    }

    fn usage(&self) -> LogUsage {
        LogUsage {
            segments: 1,
            ..LogUsage::default()
        }
    }
}
