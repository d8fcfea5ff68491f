//! Figures of a replica, for status, routing and back-pressure.

use std::sync::atomic::Ordering;

use super::ShardView;
use crate::store::{Pressure, ShardStats};

impl ShardView {
    /// Figures for status and metrics.
    pub fn stats(&self) -> ShardStats {
        let memory = &self.memory;
        ShardStats {
            posts: u64::from(memory.columns.live()),
            users: memory.users.load(Ordering::Acquire),
            outbox: memory.outbox.total(),
            memory_bytes: memory.bytes(),
            content: self.reader.status(),
        }
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
        } else if self.memory.bytes() >= limits.memory_bytes {
            Some(Pressure::Memory)
        } else if self.memory.outbox.total() >= limits.outbox {
            Some(Pressure::Outbox)
        } else {
            None
        }
    }
}
