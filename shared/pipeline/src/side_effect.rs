//! The trait of stage 10: what happens because of a reply, after it.

use std::sync::Arc;
use std::time::Duration;

use crate::{Reply, RunContext, name::short_type_name};

/// The budget of a side effect that sets none. It outlives the request, so the request's deadline cannot bound it.
pub const SIDE_EFFECT_BUDGET: Duration = Duration::from_secs(5);

/// What was served, shared by the reply and all side effects.
#[derive(Debug)]
pub struct SideEffectInput<Q, C> {
    /// The query, hydrated.
    pub query: Arc<Q>,
    /// What the reply contains, in order.
    pub selected: Arc<Vec<C>>,
    /// Ranked candidates that were not served, best first.
    pub reserve: Arc<Vec<C>>,
}

/// Does something with the outcome that the reply does not wait for. Best effort: dropped when too many are under way.
pub trait SideEffect<Q, C>: Send + Sync {
    /// Unique within its stage; the name of the type by default.
    fn name(&self) -> &'static str {
        short_type_name::<Self>()
    }

    /// Whether to run for this query.
    fn enable(&self, _query: &Q) -> bool {
        true
    }

    /// The longest it may take; cancelled after that.
    fn budget(&self) -> Duration {
        SIDE_EFFECT_BUDGET
    }

    /// Does it. An error is logged and counted.
    fn run<'a>(&'a self, run: &'a RunContext, input: &'a SideEffectInput<Q, C>) -> Reply<'a, ()>;
}
