//! Makes appended rows survive a crash.

use std::sync::Arc;

use crate::error::PartitionError;
use crate::folder::FolderWriter;
use crate::row::RowRecord;
use crate::shared::Shared;
use crate::tail::{BLOCK, Files, Tail};

/// The rows that were there when it was taken, to be made durable by [`Checkpoint::run`].
#[derive(Debug)]
pub struct Checkpoint {
    shared: Arc<Shared>,
    tails: Vec<(Arc<Tail>, usize)>,
    sealed: u64,
}

impl Checkpoint {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        let view = shared.view.load_full();
        let tails = view.tails.iter().map(|tail| (Arc::clone(tail), tail.len())).collect();
        let sealed = view.segments.iter().map(|segment| segment.len() as u64).sum();
        Self {
            shared: Arc::clone(shared),
            tails,
            sealed,
        }
    }

    /// Writes and fsyncs the rows, then the manifest. Returns how many rows are durable, dead ones included.
    ///
    /// # Errors
    /// What the disk says; nothing counts as durable then.
    pub fn run(self) -> Result<u64, PartitionError> {
        for (tail, rows) in &self.tails {
            flush(&self.shared, tail, *rows)?;
        }
        self.shared.write_manifest()?;
        Ok(self.sealed + self.tails.iter().map(|(_, rows)| *rows as u64).sum::<u64>())
    }
}

/// Writes the first `rows` rows of a tail to its files and fsyncs them.
pub(crate) fn flush(shared: &Shared, tail: &Tail, rows: usize) -> Result<(), PartitionError> {
    let (disk, space) = (&*shared.env.disk, &shared.space);
    let dir = tail.folder.dir(&shared.dir);
    let mut files = tail.files.lock();
    if rows > 0 && matches!(*files, Files::None) {
        *files = Files::Open(FolderWriter::create(disk, space, &dir, tail.capacity())?);
    }
    // There is nothing to write, or a seal came first and wrote all rows.
    let Files::Open(writer) = &mut *files else {
        return Ok(());
    };
    if tail.durable() >= rows {
        return Ok(());
    }
    let (mut floats, mut records) = (Vec::new(), Vec::<RowRecord>::new());
    while writer.written() < rows {
        floats.clear();
        records.clear();
        // Copied first: the writer of the partition must not wait for the disk.
        let end = rows.min((writer.written() / BLOCK + 1) * BLOCK);
        tail.copy_rows(writer.written(), end, &mut floats, &mut records);
        writer.append(&floats, &records)?;
    }
    if let Err(error) = writer.sync() {
        // After a failed sync the system may hold pages for clean that it never wrote: should somebody try again, the rows
        // have to be written again too.
        writer.forget_behind(tail.durable())?;
        return Err(error);
    }
    tail.set_durable(rows);
    Ok(())
}

#[cfg(test)]
#[path = "checkpoint_test.rs"]
mod tests;
