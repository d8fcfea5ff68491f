//! The trait of stage 8c: what of the slate makes the page, and in which order.

use crate::name::short_type_name;

/// Puts the page together. Pure and immediate, so it can neither fail nor overrun. Asked again after each round of backfill,
/// so that what it leaves out is made up for from the reserve.
pub trait Arranger<Q, C>: Send + Sync {
    /// The name of the type by default.
    fn name(&self) -> &'static str {
        short_type_name::<Self>()
    }

    /// Whether to run for this query; if not, the page is the slate, best first.
    fn enable(&self, _query: &Q) -> bool {
        true
    }

    /// Positions in `slate` in the order of the page. A position beyond the slate, and a further one of the same candidate, does not
    /// count, and only the first `size` are shown: whatever it answers, nothing that was removed comes back and nothing is shown
    /// twice. What it leaves out leads the reserve.
    ///
    /// The slate holds what the filters kept, as it was selected and filled up. It is mutable so that it can carry what was
    /// done to it.
    fn arrange(&self, query: &Q, slate: &mut [C], size: usize) -> Vec<usize>;
}

#[cfg(test)]
#[path = "arranger_test.rs"]
mod tests;
