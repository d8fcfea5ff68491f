//! The trait of stage 2: where candidates come from.

use std::time::Duration;

use crate::{Reply, RunContext, name::short_type_name};

/// Finds candidates. Sources run in parallel; what they find is appended in list order.
pub trait Source<Q, C>: Send + Sync {
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

    /// Candidates, best first: those beyond [`Limits::max_per_source`](crate::Limits::max_per_source) are cut off.
    fn find<'a>(&'a self, run: &'a RunContext, query: &'a Q) -> Reply<'a, Vec<C>>;
}
