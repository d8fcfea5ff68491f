//! The trait of stage 5: what candidates are worth.

use std::time::Duration;

use crate::{Reply, Rows, RunContext, Score, name::short_type_name};

/// Scores candidates. Scorers run one after another in list order; each sees what those before it have stored.
pub trait Scorer<Q, C>: Send + Sync {
    /// Unique within its stage; the name of the type by default.
    fn name(&self) -> &'static str {
        short_type_name::<Self>()
    }

    /// Whether to run for this query.
    fn enable(&self, _query: &Q) -> bool {
        true
    }

    /// Whether the run is [`Unavailable`](crate::PipelineError::Unavailable) without it.
    fn required(&self) -> bool {
        false
    }

    /// The longest it may take; never more than what the request has left, or half of that if it is not required.
    fn budget(&self) -> Duration {
        Duration::MAX
    }

    /// One row per candidate, in their order.
    fn score<'a>(&'a self, run: &'a RunContext, query: &'a Q, candidates: &'a [C]) -> Reply<'a, Rows<C>>;

    /// Reads back the single score that this scorer has stored, for the rank after this step in `explain`. `None` for a
    /// scorer that stores no single score, such as a model with many outputs.
    fn step(&self, _candidate: &C) -> Option<Score> {
        None
    }
}
