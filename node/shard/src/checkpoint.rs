//! The part of a checkpoint that waits for the disk, off the apply thread.

use covey_embeddings::Checkpoint;
use covey_shared::ids::{Generation, PostKey, Version};

use crate::error::ShardStoreError;

/// A checkpoint that has begun: which vectors it makes durable.
#[derive(Debug)]
pub struct ShardCheckpoint {
    generation: Generation,
    content: Checkpoint,
    rows: Vec<(PostKey, Version)>,
}

/// A checkpoint whose vectors are on disk. Dropping it costs nothing but the next one's time.
#[derive(Debug)]
pub struct WrittenCheckpoint {
    pub(crate) generation: Generation,
    pub(crate) rows: Vec<(PostKey, Version)>,
}

impl ShardCheckpoint {
    pub(crate) fn new(generation: Generation, content: Checkpoint, rows: Vec<(PostKey, Version)>) -> Self {
        ShardCheckpoint {
            generation,
            content,
            rows,
        }
    }

    /// Writes and syncs the vectors. Blocks on the disk.
    ///
    /// # Errors
    /// What the disk says. After a failed fsync nothing is known of what was kept: end the process.
    pub fn run(self) -> Result<WrittenCheckpoint, ShardStoreError> {
        self.content.run()?;
        Ok(WrittenCheckpoint {
            generation: self.generation,
            rows: self.rows,
        })
    }
}
