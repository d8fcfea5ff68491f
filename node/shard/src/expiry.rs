//! When records of posts run out, by minute. Derived state: an entry may be stale, the record decides.

use std::collections::BTreeMap;

use covey_shared::ids::{PostKey, UnixMillis};

const MINUTE_MS: u64 = 60_000;

/// The minute in which a record runs out.
pub(crate) fn minute(at: UnixMillis) -> u64 {
    at.0 / MINUTE_MS
}

#[derive(Debug, Default)]
pub(crate) struct Expiry {
    minutes: BTreeMap<u64, Vec<PostKey>>,
    /// Of the lists.
    bytes: usize,
    /// The last trim left records that were due.
    pub(crate) behind: bool,
}

impl Expiry {
    /// Of many at once: lists that grow one by one cost several times as much.
    pub(crate) fn of(mut all: Vec<(UnixMillis, PostKey)>) -> Expiry {
        all.sort_unstable_by_key(|(at, _)| minute(*at));
        let mut expiry = Expiry::default();
        for same in all.chunk_by(|(a, _), (b, _)| minute(*a) == minute(*b)) {
            let keys: Vec<PostKey> = same.iter().map(|(_, key)| *key).collect();
            expiry.put_back(minute(same[0].0), keys);
        }
        expiry
    }

    pub(crate) fn push(&mut self, at: UnixMillis, key: PostKey) {
        let list = self.minutes.entry(minute(at)).or_default();
        let before = list.capacity();
        list.push(key);
        self.bytes += (list.capacity() - before) * size_of::<PostKey>();
    }

    /// Begin of the earliest minute; `u64::MAX` if there is none.
    pub(crate) fn first_ms(&self) -> u64 {
        let first = self.minutes.first_key_value();
        first.map_or(u64::MAX, |(minute, _)| minute * MINUTE_MS)
    }

    /// Bytes of the lists.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes as u64
    }

    /// Puts back keys of a minute that was taken, and of which nobody knows more.
    pub(crate) fn put_back(&mut self, minute: u64, keys: Vec<PostKey>) {
        if keys.is_empty() {
            return;
        }
        let list = self.minutes.entry(minute).or_default();
        let before = list.capacity();
        if list.is_empty() {
            *list = keys;
        } else {
            list.extend(keys);
        }
        self.bytes += (list.capacity() - before) * size_of::<PostKey>();
    }

    /// Takes the earliest minute, if it begins before `before`, and its keys in order, each once.
    pub(crate) fn pop_before(&mut self, before: UnixMillis) -> Option<(u64, Vec<PostKey>)> {
        let first = self.minutes.first_entry()?;
        let at = *first.key();
        if at * MINUTE_MS >= before.0 {
            return None;
        }
        let mut keys = first.remove();
        self.bytes -= keys.capacity() * size_of::<PostKey>();
        keys.sort_unstable();
        keys.dedup();
        Some((at, keys))
    }
}

#[cfg(test)]
#[path = "expiry_test.rs"]
mod tests;
