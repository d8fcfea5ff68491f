//! The deleted bits of a folder: set by the writer, read by searches, without a lock.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use covey_ann::Bitmap;

/// One bit per row; a set bit stays set.
#[derive(Debug)]
pub(crate) struct DeletedBits {
    words: Box<[AtomicU64]>,
    count: AtomicU32,
}

impl DeletedBits {
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            words: (0..rows.div_ceil(64)).map(|_| AtomicU64::new(0)).collect(),
            count: AtomicU32::new(0),
        }
    }

    /// Sets a bit; false if it was set.
    pub(crate) fn set(&self, row: u32) -> bool {
        let bit = 1 << (row % 64);
        let fresh = self.words[row as usize / 64].fetch_or(bit, Ordering::AcqRel) & bit == 0;
        if fresh {
            self.count.fetch_add(1, Ordering::AcqRel);
        }
        fresh
    }

    pub(crate) fn get(&self, row: u32) -> bool {
        self.words[row as usize / 64].load(Ordering::Acquire) & (1 << (row % 64)) != 0
    }

    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Acquire) as usize
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.words)
    }

    /// The rows that are alive now.
    pub(crate) fn alive(&self, rows: usize) -> Bitmap {
        let words = self.words.iter().map(|word| !word.load(Ordering::Acquire)).collect();
        Bitmap::from_words(words, rows)
    }
}
