//! The trait of stages 1 and 1b: what is known about the one who asks.

use std::time::Duration;

use crate::{QueryUpdate, Reply, RunContext, name::short_type_name};

/// Completes the query. All of a stage run in parallel on the same query; their updates are applied in list order.
pub trait QueryHydrator<Q>: Send + Sync {
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

    /// Looks up its fields; see [`QueryUpdate`].
    fn hydrate<'a>(&'a self, run: &'a RunContext, query: &'a Q) -> Reply<'a, QueryUpdate<Q>>;
}
