//! The traits of stages 4 and 8: what must not be served.

use std::time::Duration;

use crate::{Reply, RunContext, name::short_type_name, ready};

/// What a filter says about one candidate. Reasons are metric labels, hence static and few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may go on.
    Keep,
    /// It is removed, for this reason.
    Remove(&'static str),
    /// The filter cannot tell, for this reason. A required filter removes it, any other keeps it.
    Unjudged(&'static str),
}

impl Verdict {
    /// [`Verdict::Remove`] if `condition` holds, else [`Verdict::Keep`].
    #[must_use]
    pub fn remove_if(condition: bool, reason: &'static str) -> Self {
        if condition { Self::Remove(reason) } else { Self::Keep }
    }
}

/// Removes candidates. Filters run one after another in list order, each on what the one before kept.
pub trait Filter<Q, C>: Send + Sync {
    /// Unique within its stage; the name of the type by default.
    fn name(&self) -> &'static str {
        short_type_name::<Self>()
    }

    /// Whether to run for this query.
    fn enable(&self, _query: &Q) -> bool {
        true
    }

    /// Fails closed: a candidate that it could not judge is removed. (In a round of backfill, candidates that it has
    /// judged in an earlier round stay: that verdict holds.)
    fn required(&self) -> bool {
        false
    }

    /// The longest it may take; never more than what the request has left, or half of that if it is not required.
    fn budget(&self) -> Duration {
        Duration::MAX
    }

    /// One verdict per candidate, in their order. The order of the candidates must not be changed. They are mutable for
    /// the sake of filters that merge what they remove into what they keep; as a filter can be cancelled wherever it
    /// waits, change nothing before the last wait.
    fn filter<'a>(&'a self, run: &'a RunContext, query: &'a Q, candidates: &'a mut [C]) -> Reply<'a, Vec<Verdict>>;
}

/// A filter that waits for nothing and looks at one candidate at a time: most of them. It is a [`Filter`] named as its type.
pub trait RowFilter<Q, C>: Send + Sync {
    /// As [`Filter::enable`].
    fn enable(&self, _query: &Q) -> bool {
        true
    }

    /// As [`Filter::required`].
    fn required(&self) -> bool {
        false
    }

    /// What it says about this candidate.
    fn judge(&self, query: &Q, candidate: &C) -> Verdict;
}

impl<Q, C, F: RowFilter<Q, C>> Filter<Q, C> for F {
    fn enable(&self, query: &Q) -> bool {
        RowFilter::enable(self, query)
    }

    fn required(&self) -> bool {
        RowFilter::required(self)
    }

    fn filter<'a>(&'a self, _: &'a RunContext, query: &'a Q, candidates: &'a mut [C]) -> Reply<'a, Vec<Verdict>> {
        ready(
            candidates
                .iter()
                .map(|candidate| self.judge(query, candidate))
                .collect(),
        )
    }
}
