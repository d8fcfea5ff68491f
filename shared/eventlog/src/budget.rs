//! Which sealed files must go. Pure.

use std::path::PathBuf;

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

/// The oldest files, without which the rest and `open` bytes of files that are not sealed fit into `budget`.
pub(crate) fn excess(mut sealed: Vec<Sealed>, open: u64, budget: u64) -> Vec<Sealed> {
    sealed.sort_unstable();
    let mut total = sealed.iter().map(|file| file.bytes).sum::<u64>().saturating_add(open);
    let gone = sealed.iter().take_while(|file| {
        let is_over = total > budget;
        total = total.saturating_sub(file.bytes);
        is_over
    });
    let gone = gone.count();
    sealed.truncate(gone);
    sealed
}

#[cfg(test)]
#[path = "budget_test.rs"]
mod tests;
