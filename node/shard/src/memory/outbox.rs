//! Which slots have effects on their way to other shards, and how many.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use covey_shared::slots::Slot;
use parking_lot::Mutex;

use crate::memory::sizes::tree_bytes;

#[derive(Default)]
pub(crate) struct OutboxCounts {
    slots: Mutex<BTreeMap<Slot, u64>>,
    total: AtomicU64,
}

impl OutboxCounts {
    pub(crate) fn add(&self, slot: Slot, items: u64) {
        *self.slots.lock().entry(slot).or_default() += items;
        self.total.fetch_add(items, Ordering::AcqRel);
    }

    pub(crate) fn remove(&self, slot: Slot, items: u64) {
        let mut slots = self.slots.lock();
        let left = slots.get(&slot).map_or(0, |there| there.saturating_sub(items));
        if left == 0 {
            slots.remove(&slot);
        } else {
            slots.insert(slot, left);
        }
        drop(slots);
        self.total.fetch_sub(items, Ordering::AcqRel);
    }

    /// All effects that wait.
    pub(crate) fn total(&self) -> u64 {
        self.total.load(Ordering::Acquire)
    }

    /// Bytes, at most.
    pub(crate) fn bytes(&self) -> u64 {
        tree_bytes::<(Slot, u64)>(self.slots.lock().len()) as u64
    }

    /// Slots with effects, ascending.
    pub(crate) fn slots(&self) -> Vec<Slot> {
        self.slots.lock().keys().copied().collect()
    }
}
