//! What every implementation of a store must do, as functions that panic where it does not. Implementations pass them in
//! this crate's tests; those on the simulated disk pass them again in the simulator.

mod kvs;
mod logs;
mod row_files;

pub use kvs::{kv_keeps_what_it_persisted, kv_rules, scanned};
#[cfg(test)]
pub(crate) use logs::{History, entries};
pub use logs::{Opened, log_keeps_what_it_synced, log_rules};
pub use row_files::{RowFileAt, row_file_rules};

/// Reproducible numbers from a seed (splitmix64, Steele et al. 2014).
#[derive(Clone, Debug)]
pub(crate) struct Seeded(u64);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Seeded {
        Seeded(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`, nearly uniform.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}
