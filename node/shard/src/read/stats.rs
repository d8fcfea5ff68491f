//! Figures of a replica, for status, routing and back-pressure.

use std::sync::atomic::Ordering;

use super::ShardView;
use crate::store::{PartMemory, Pressure, ShardStats};

impl ShardView {
    /// Figures of the content vectors alone.
    pub fn content_status(&self) -> covey_embeddings::PartitionStatus {
        self.reader.status()
    }

    /// Figures for status and metrics.
    pub fn stats(&self) -> ShardStats {
        let memory = &self.memory;
        ShardStats {
            posts: u64::from(memory.columns.live()),
            users: memory.users.load(Ordering::Acquire),
            outbox: memory.outbox.total(),
            memory: self.memory_parts(),
            content: self.reader.status(),
        }
    }

    /// What the replica takes in memory, part by part.
    fn memory_parts(&self) -> Vec<PartMemory> {
        let vectors = self.reader.memory();
        let heap = |(part, heap_bytes)| PartMemory {
            part,
            heap_bytes,
            mapped_bytes: 0,
        };
        let upkeep = ("expiry, pending", self.upkeep_bytes.load(Ordering::Relaxed));
        let posts = self.memory.parts().into_iter().chain([upkeep]).map(heap);
        let of_vectors = [
            ("vectors, unsealed", vectors.tail),
            ("vector records", vectors.records),
            ("vector locator", vectors.locator),
            ("vector deletes", vectors.deleted),
            ("indexes", vectors.index),
        ];
        let rows = PartMemory {
            part: "vectors, sealed",
            heap_bytes: vectors.rows,
            mapped_bytes: vectors.mapped,
        };
        posts.chain(of_vectors.map(heap)).chain([rows]).collect()
    }

    /// Bytes on the heap of all parts together: what the budget limits.
    pub fn heap_bytes(&self) -> u64 {
        self.memory_parts().iter().map(|part| part.heap_bytes).sum()
    }

    /// Effects that wait for other shards.
    pub fn outbox_len(&self) -> u64 {
        self.memory.outbox.total()
    }

    /// Whether proposals should be refused, and why.
    pub fn pressure(&self) -> Option<Pressure> {
        let limits = &self.options.limits;
        if self.reader.pressure() >= 1.0 {
            Some(Pressure::UnsealedRows)
        } else if self.heap_bytes() >= limits.memory_bytes {
            Some(Pressure::Memory)
        } else if self.memory.outbox.total() >= limits.outbox {
            Some(Pressure::Outbox)
        } else {
            None
        }
    }
}
