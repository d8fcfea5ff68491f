//! What the log may take of the disk, and which sealed files must go. Pure.

use std::path::PathBuf;

use covey_env::DiskSpace;

use crate::hour::Hour;

/// A sealed file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sealed {
    pub(crate) hour: Hour,
    /// Name of the file: within an hour they sort as they were begun.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
}

/// Whether less than the reserve is free, whoever took it.
pub(crate) fn is_low(space: DiskSpace, min_free: f64) -> bool {
    space.free < space.reserve(min_free)
}

/// What the log has on the disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    /// Bytes of files that are not sealed.
    pub(crate) open: u64,
    pub(crate) sealed: Vec<Sealed>,
}

impl Taken {
    fn bytes(&self) -> u64 {
        let sealed = self.sealed.iter().map(|file| file.bytes).sum::<u64>();
        sealed.saturating_add(self.open)
    }

    /// Bytes that the log may take: `budget`, or less where that would not leave the reserve free.
    pub(crate) fn limit(&self, budget: u64, space: Option<DiskSpace>, min_free: f64) -> u64 {
        let room = space.map_or(u64::MAX, |space| {
            let with_ours = space.free.saturating_add(self.bytes());
            with_ours.saturating_sub(space.reserve(min_free))
        });
        budget.min(room)
    }

    /// The oldest sealed files, without which the rest fits into `limit`.
    pub(crate) fn excess(mut self, limit: u64) -> Vec<Sealed> {
        let mut total = self.bytes();
        self.sealed.sort_unstable();
        let gone = self.sealed.iter().take_while(|file| {
            let is_over = total > limit;
            total = total.saturating_sub(file.bytes);
            is_over
        });
        let gone = gone.count();
        self.sealed.truncate(gone);
        self.sealed
    }
}

#[cfg(test)]
#[path = "budget_test.rs"]
mod tests;
