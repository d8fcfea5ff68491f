//! The partition of one vector space of one shard replica: the writer's side.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use covey_shared::ids::{PostId, Version};
use half::f16;

use crate::checkpoint::Checkpoint;
use crate::error::{AppendError, PartitionError};
use crate::locator::Location;
use crate::maintenance::Maintainer;
use crate::row::{RowMeta, RowRecord};
use crate::shared::Shared;
use crate::status::PartitionStatus;
use crate::tail::Tail;
use crate::view::View;

/// What became of an appended row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It is searchable now; an older row of the post is not any more.
    Stored,
    /// The partition already has this version of the post, or a higher one: nothing changed.
    AlreadyThere,
}

/// The one writer of a partition. Appends and deletes do no I/O and are visible to searches when they return.
///
/// A row is durable once a [`Checkpoint`] taken after its append has run; until then the caller keeps it elsewhere and
/// appends it again after a restart, which is harmless if it was durable already.
#[derive(Debug)]
pub struct Partition {
    pub(crate) shared: Arc<Shared>,
    pub(crate) active: Arc<Tail>,
}

impl Partition {
    /// Appends a row of [`crate::SpaceSpec::row_len`] elements, made by `covey_ann::encode_row`.
    ///
    /// # Errors
    /// A row of another length, or with elements that are not finite.
    pub fn append(&mut self, meta: RowMeta, row: &[f16]) -> Result<Appended, AppendError> {
        let expected = self.shared.space.row_len();
        if row.len() != expected {
            return Err(AppendError::WrongLength {
                expected,
                got: row.len(),
            });
        }
        if let Some(position) = row.iter().position(|x| !x.is_finite()) {
            return Err(AppendError::NotFinite { position });
        }
        if self.version(meta.post).is_some_and(|version| version >= meta.version) {
            return Ok(Appended::AlreadyThere);
        }
        if self.active.is_full() {
            self.seal();
        }
        // The new row is visible before the old one dies: a search in between sees both and returns the better one.
        let row = self.active.push(RowRecord::new(meta, row), row);
        let at = Location {
            folder: self.active.folder,
            row,
        };
        self.shared.state.lock().locator.insert(meta.post, meta.version, at);
        Ok(Appended::Stored)
    }

    /// Makes the row of a post invisible; false if it has none.
    pub fn delete(&mut self, post: PostId) -> bool {
        self.shared.state.lock().locator.remove(post)
    }

    /// The version of the post whose vector is here.
    pub fn version(&self, post: PostId) -> Option<Version> {
        self.shared.state.lock().locator.find(post).map(|(_, version)| version)
    }

    /// Closes the active tail for ever, if it has rows. The maintenance writes it and builds its index.
    pub fn seal(&mut self) {
        if self.active.len() == 0 {
            return;
        }
        let mut state = self.shared.state.lock();
        let folder = state.new_folder();
        let tail = Arc::new(Tail::new(
            folder,
            self.shared.space.row_len(),
            self.shared.options.seal_rows,
        ));
        state.locator.add_folder(folder, Arc::clone(&tail.deleted));
        self.shared
            .publish(&mut state, |view| view.tails.push(Arc::clone(&tail)));
        self.active = tail;
    }

    /// What is to be made durable now. Taking it costs nothing; running it may happen on any thread.
    pub fn begin_checkpoint(&self) -> Checkpoint {
        Checkpoint::new(&self.shared)
    }

    /// Makes everything appended so far durable and returns how many rows are.
    ///
    /// # Errors
    /// What the disk says. After a failed fsync nothing is known of what was kept: the caller ends the process.
    pub fn checkpoint(&self) -> Result<u64, PartitionError> {
        self.begin_checkpoint().run()
    }

    /// Unsealed rows as a part of what is bearable: at 1 and above, proposals are refused.
    pub fn pressure(&self) -> f64 {
        self.reader().pressure()
    }

    /// For searches, status and single vectors, on any thread.
    pub fn reader(&self) -> Reader {
        Reader {
            shared: Arc::clone(&self.shared),
        }
    }

    /// For the thread that seals, builds and merges.
    pub fn maintainer(&self) -> Maintainer {
        Maintainer::new(Arc::clone(&self.shared))
    }
}

impl Drop for Partition {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
    }
}

/// Reads a partition from any thread.
#[derive(Debug, Clone)]
pub struct Reader {
    pub(crate) shared: Arc<Shared>,
}

impl Reader {
    /// What there is to search now.
    pub fn view(&self) -> Arc<View> {
        self.shared.view.load_full()
    }

    /// The live row of a post; `None` if it has none or it is damaged.
    pub fn vector(&self, post: PostId) -> Option<(RowMeta, Vec<f16>)> {
        let (at, view) = {
            let state = self.shared.state.lock();
            (state.locator.find(post)?.0, self.view())
        };
        view.row(at.folder, at.row)
    }

    /// As [`Partition::pressure`].
    pub fn pressure(&self) -> f64 {
        self.shared.pressure()
    }

    /// Figures for status pages and metrics.
    pub fn status(&self) -> PartitionStatus {
        let posts = self.shared.state.lock().locator.len();
        PartitionStatus::of(&self.view(), posts)
    }
}

#[cfg(test)]
#[path = "partition_test.rs"]
mod tests;
