//! What a partition takes in memory, part by part.

use crate::partition::Reader;

/// Bytes of a partition, from the sizes of its allocations. What the allocator adds to each is not in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PartitionMemory {
    /// Rows and records that are not sealed yet. Rooms of a block are taken at once.
    pub tail: u64,
    /// Records of sealed rows.
    pub records: u64,
    /// Deleted bits.
    pub deleted: u64,
    /// Where the live row of each post is.
    pub locator: u64,
    /// Indexes, as long as their files. Lists that were built since the start have up to twice that room.
    pub index: u64,
    /// Sealed rows that are not mapped: on disks without maps.
    pub rows: u64,
    /// Mapped files of sealed rows, whether or not their pages are in memory.
    pub mapped: u64,
}

impl PartitionMemory {
    /// Bytes on the heap.
    pub fn heap(&self) -> u64 {
        self.tail + self.records + self.deleted + self.locator + self.index + self.rows
    }
}

impl Reader {
    /// What it takes now. Looks at each segment and each block of the tail: some microseconds.
    pub fn memory(&self) -> PartitionMemory {
        let mut memory = PartitionMemory {
            locator: self.shared.locator_bytes(),
            ..PartitionMemory::default()
        };
        let view = self.view();
        for segment in &view.segments {
            let (heap, mapped) = segment.rows.heap_and_mapped_bytes();
            memory.rows += heap as u64;
            memory.mapped += mapped as u64;
            memory.records += size_of_val(&*segment.records) as u64;
            memory.deleted += segment.deleted.heap_bytes() as u64;
            memory.index += segment.index.as_ref().map_or(0, |index| index.saved_bytes) as u64;
        }
        for tail in &view.tails {
            memory.tail += tail.heap_bytes() as u64;
            memory.deleted += tail.deleted.heap_bytes() as u64;
        }
        memory
    }
}

#[cfg(test)]
#[path = "memory_test.rs"]
mod tests;
