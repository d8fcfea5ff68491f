//! Which groups are done: the length of the unbroken prefix, as groups finish in any order.

use std::collections::BTreeMap;

/// Finished numbers from 0, each with a value; those after a gap wait.
#[derive(Debug)]
pub(crate) struct Prefix<T> {
    next: u64,
    waiting: BTreeMap<u64, T>,
}

impl<T> Default for Prefix<T> {
    fn default() -> Self {
        Prefix {
            next: 0,
            waiting: BTreeMap::new(),
        }
    }
}

impl<T> Prefix<T> {
    /// Number `number` is finished. Returns what now belongs to the prefix, in order.
    pub(crate) fn finish(&mut self, number: u64, value: T) -> Vec<T> {
        self.waiting.insert(number, value);
        let mut ready = Vec::new();
        while let Some(value) = self.waiting.remove(&self.next) {
            ready.push(value);
            self.next += 1;
        }
        ready
    }

    /// Length of the prefix.
    pub(crate) fn len(&self) -> u64 {
        self.next
    }
}

#[cfg(test)]
#[path = "prefix_test.rs"]
mod tests;
