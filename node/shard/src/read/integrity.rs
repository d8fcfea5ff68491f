//! What a scrubber needs of a replica, and what a peer's scrubber asks of it.

use covey_embeddings::{DamagedRow, Scrub};
use covey_shared::ids::PostId;
use covey_shared::model::F16Vector;
use covey_shared::wire::{InvalidRequest, MAX_VECTORS};

use super::{Read, ShardView};
use crate::error::ShardStoreError;

impl ShardView {
    /// Begins a pass over the files of the sealed vectors.
    pub fn scrub(&self) -> Scrub {
        self.reader.scrub()
    }

    /// How often searches and merges met a damaged row since the start.
    pub fn damaged_rows(&self) -> u64 {
        self.reader.damaged_rows()
    }

    /// How often pages were found lost to the maps of vectors; see [`covey_embeddings::Reader::lost_pages`].
    pub fn lost_pages(&self) -> u64 {
        self.reader.lost_pages()
    }

    /// Whether the post still has this very row.
    pub fn still_has(&self, damaged: &DamagedRow) -> bool {
        self.reader.still_has(damaged)
    }

    /// Has the files of these rows, which are all repaired, written again elsewhere.
    pub fn rewrite(&self, repaired: &[DamagedRow]) {
        self.reader.rewrite(repaired);
    }

    /// The rows of these posts, whole, as they were stored; `None` for a post without a sound one here.
    ///
    /// # Errors
    /// More than [`MAX_VECTORS`] posts.
    pub fn rows_of(&self, posts: &[PostId]) -> Result<Read<Vec<Option<F16Vector>>>, ShardStoreError> {
        if posts.len() > MAX_VECTORS {
            return Err(ShardStoreError::Invalid(InvalidRequest::TooLarge));
        }
        let row = |post: &PostId| {
            let (_, row) = self.reader.vector(*post)?;
            Some(F16Vector(row.iter().flat_map(|x| x.to_le_bytes()).collect()))
        };
        Ok(Read::complete(posts.iter().map(row).collect(), posts.len() as u64))
    }
}

#[cfg(test)]
#[path = "integrity_test.rs"]
mod tests;
