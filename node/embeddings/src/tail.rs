//! An unsealed folder: rows in memory, searchable at once, written to its files at the next checkpoint or seal.
//!
//! Until a checkpoint has fsynced it, a row's durable copy is the caller's (PENDING_ROW in the LSM), so appending does
//! no I/O.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use half::f16;
use parking_lot::{Mutex, RwLock};

use crate::deleted::DeletedBits;
use crate::error::PartitionError;
use crate::folder::{FolderId, FolderWriter};
use crate::row::RowRecord;

/// Rows per lock. The writer locks only the last block; a reader keeps it from there for about 5 µs.
pub(crate) const BLOCK: usize = 256;

#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) rows: Vec<f16>,
    pub(crate) records: Vec<RowRecord>,
}

/// The files of a tail.
#[derive(Debug)]
pub(crate) enum Files {
    /// Not made yet.
    None,
    /// Checkpoints append to them.
    Open(FolderWriter),
    /// They have all rows and are cut to them. A new writer would wipe them.
    Sealed,
}

#[derive(Debug)]
pub(crate) struct Tail {
    pub(crate) folder: FolderId,
    row_len: usize,
    capacity: usize,
    blocks: Box<[RwLock<Block>]>,
    len: AtomicU32,
    pub(crate) deleted: Arc<DeletedBits>,
    /// Rows that survive a crash.
    durable: AtomicU32,
    /// Locked for a whole flush.
    pub(crate) files: Mutex<Files>,
}

impl Tail {
    pub(crate) fn new(folder: FolderId, row_len: usize, capacity: usize) -> Self {
        Self {
            folder,
            row_len,
            capacity,
            blocks: (0..capacity.div_ceil(BLOCK)).map(|_| RwLock::default()).collect(),
            len: AtomicU32::new(0),
            deleted: Arc::new(DeletedBits::new(capacity)),
            durable: AtomicU32::new(0),
            files: Mutex::new(Files::None),
        }
    }

    /// Appends a row and returns its number. One writer only; there is room.
    pub(crate) fn push(&self, record: RowRecord, row: &[f16]) -> u32 {
        let number = self.len.load(Ordering::Relaxed);
        assert!((number as usize) < self.capacity, "the tail {:?} is full", self.folder);
        let mut block = self.blocks[number as usize / BLOCK].write();
        if block.records.is_empty() {
            block.rows.reserve_exact(BLOCK * self.row_len);
            block.records.reserve_exact(BLOCK);
        }
        block.rows.extend_from_slice(row);
        block.records.push(record);
        drop(block);
        self.len.store(number + 1, Ordering::Release);
        number
    }

    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::Acquire) as usize
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len() >= self.capacity
    }

    pub(crate) fn durable(&self) -> usize {
        self.durable.load(Ordering::Acquire) as usize
    }

    pub(crate) fn set_durable(&self, rows: usize) {
        self.durable.fetch_max(rows as u32, Ordering::AcqRel);
    }

    /// Cuts the files to their rows, which are all durable, for ever. After an error they are still open.
    pub(crate) fn seal_files(&self) -> Result<(), PartitionError> {
        let mut files = self.files.lock();
        if let Files::Open(writer) = &mut *files {
            writer.seal()?;
            *files = Files::Sealed;
        }
        Ok(())
    }

    /// Calls `visit` with the number of the first row of each block and the block.
    /// It must not append to this tail: the block is locked.
    pub(crate) fn for_each_block(&self, mut visit: impl FnMut(u32, &Block) -> bool) {
        for (index, block) in self.blocks.iter().take(self.len().div_ceil(BLOCK)).enumerate() {
            if !visit((index * BLOCK) as u32, &block.read()) {
                return;
            }
        }
    }

    /// Bytes of the blocks, full or not.
    pub(crate) fn heap_bytes(&self) -> usize {
        let of = |block: &RwLock<Block>| {
            let block = block.read();
            block.rows.capacity() * size_of::<f16>() + block.records.capacity() * size_of::<RowRecord>()
        };
        size_of_val(&*self.blocks) + self.blocks.iter().map(of).sum::<usize>()
    }

    /// A copy of one row.
    pub(crate) fn row(&self, number: u32) -> Option<(RowRecord, Vec<f16>)> {
        let block = self.blocks.get(number as usize / BLOCK)?.read();
        let at = number as usize % BLOCK;
        let record = *block.records.get(at)?;
        Some((record, block.rows[at * self.row_len..][..self.row_len].to_vec()))
    }

    /// Appends copies of rows `start..end`, which lie in one block, to the two lists.
    pub(crate) fn copy_rows(&self, start: usize, end: usize, rows: &mut Vec<f16>, records: &mut Vec<RowRecord>) {
        let block = self.blocks[start / BLOCK].read();
        let (from, to) = (start % BLOCK, end - start + start % BLOCK);
        rows.extend_from_slice(&block.rows[from * self.row_len..to * self.row_len]);
        records.extend_from_slice(&block.records[from..to]);
    }
}
