//! The trait of stages 3 and 7: what is known about the candidates.

use std::time::Duration;

use crate::{Reply, Rows, RunContext, name::short_type_name};

/// Completes candidates. All of a stage run in parallel on the same snapshot, so that none sees what another of its
/// stage adds; their updates are applied in list order.
pub trait Hydrator<Q, C>: Send + Sync {
    /// Unique within its stage; the name of the type by default.
    fn name(&self) -> &'static str {
        short_type_name::<Self>()
    }

    /// Whether to run for this query.
    fn enable(&self, _query: &Q) -> bool {
        true
    }

    /// Fails closed: without its answer the run is [`Unavailable`](crate::PipelineError::Unavailable) (or, in a round
    /// of backfill, the round is given up), and a candidate whose row failed is removed.
    fn required(&self) -> bool {
        false
    }

    /// The longest it may take; never more than what the request has left, or half of that if it is not required.
    fn budget(&self) -> Duration {
        Duration::MAX
    }

    /// One row per candidate, in their order.
    fn hydrate<'a>(&'a self, run: &'a RunContext, query: &'a Q, candidates: &'a [C]) -> Reply<'a, Rows<C>>;
}
