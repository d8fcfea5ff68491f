//! Slots: the fixed hash space that shards divide among themselves.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::ids::UserId;

/// Number of slots; the function below is fixed for ever.
pub const SLOTS: u16 = 16_384;

/// A slot, 0 ..= 16 383.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slot(pub u16);

impl Slot {
    /// The slot of everything that belongs to `user`: `xxh3_64(little-endian id) >> 50`.
    pub fn of(user: UserId) -> Slot {
        Slot((xxh3_64(&user.0.to_le_bytes()) >> 50) as u16)
    }
}

/// A half-open range of slots `[start, end)`, `start < end ≤ 16 384`, or [`SlotRange::NONE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct SlotRange {
    /// First slot.
    pub start: u16,
    /// One past the last slot.
    pub end: u16,
}

impl SlotRange {
    /// All slots.
    pub const ALL: SlotRange = SlotRange { start: 0, end: SLOTS };

    /// No slot.
    pub const NONE: SlotRange = SlotRange { start: 0, end: 0 };

    /// Whether `slot` lies in the range.
    pub fn contains(self, slot: Slot) -> bool {
        self.start <= slot.0 && slot.0 < self.end
    }

    /// Number of slots in the range.
    pub fn count(self) -> u16 {
        self.end.saturating_sub(self.start)
    }

    /// Range number `i` of `n` ranges that tile all slots; sizes differ by at most one.
    pub fn tile(i: u16, n: u16) -> SlotRange {
        let edge = |k: u16| (u32::from(k) * u32::from(SLOTS) / u32::from(n)) as u16;
        SlotRange {
            start: edge(i),
            end: edge(i + 1),
        }
    }
}

/// Set of slots, 2 KiB. Proves coverage: a slot counts once, however many answers carried it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotSet {
    words: Box<[u64; SLOTS as usize / 64]>,
}

impl Default for SlotSet {
    fn default() -> Self {
        SlotSet {
            words: Box::new([0; SLOTS as usize / 64]),
        }
    }
}

impl SlotSet {
    /// Adds all slots of `range`.
    pub fn insert(&mut self, range: SlotRange) {
        for slot in range.start..range.end.min(SLOTS) {
            self.words[usize::from(slot) / 64] |= 1 << (slot % 64);
        }
    }

    /// Adds all slots of `other`.
    pub fn union(&mut self, other: &SlotSet) {
        for (word, add) in self.words.iter_mut().zip(other.words.iter()) {
            *word |= add;
        }
    }

    /// Takes out all slots of `other`.
    pub fn subtract(&mut self, other: &SlotSet) {
        for (word, remove) in self.words.iter_mut().zip(other.words.iter()) {
            *word &= !remove;
        }
    }

    /// Whether `slot` is in the set.
    pub fn contains(&self, slot: Slot) -> bool {
        slot.0 < SLOTS && self.words[usize::from(slot.0) / 64] & (1 << (slot.0 % 64)) != 0
    }

    /// Number of slots in the set.
    pub fn count(&self) -> u16 {
        self.words.iter().map(|w| w.count_ones() as u16).sum()
    }

    /// Share of all slots in the set, 0 ..= 1; exactly 1 only when every slot is in it.
    pub fn coverage(&self) -> f64 {
        f64::from(self.count()) / f64::from(SLOTS)
    }
}

#[cfg(test)]
#[path = "slots_test.rs"]
mod tests;
