//! The trait of stage 6: which candidates make the slate.

use std::cmp::Reverse;

use crate::{Score, name::short_type_name};

/// Ranked candidates in two parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection<C> {
    /// The slate, best first: what ranks above the reserve, and what a selector has reason to want judged besides.
    pub selected: Vec<C>,
    /// The rest, in the order in which backfill and the next page take it: best first, unless a selector has reason to put some further back.
    pub reserve: Vec<C>,
}

/// Ranks the candidates and takes the best, and may take some besides that an arranger is to place. Pure and immediate, so it can neither fail nor overrun.
pub trait Selector<Q, C>: Send + Sync {
    /// The name of the type by default.
    fn name(&self) -> &'static str {
        short_type_name::<Self>()
    }

    /// Whether to rank for this query; if not, the candidates keep their order and the first ones are taken.
    fn enable(&self, _query: &Q) -> bool {
        true
    }

    /// Rank key of a candidate; [`Score::UNSCORED`] when it has none.
    fn score(&self, candidate: &C) -> Score;

    /// How many to take. More than the result size, so that post-selection filters can remove some.
    fn size(&self) -> usize;

    /// Ranks and takes: by default a stable descending sort by [`Selector::score`].
    fn select(&self, _query: &Q, mut candidates: Vec<C>) -> Selection<C> {
        candidates.sort_by_key(|candidate| Reverse(self.score(candidate)));
        let reserve = candidates.split_off(self.size().min(candidates.len()));
        Selection {
            selected: candidates,
            reserve,
        }
    }
}
