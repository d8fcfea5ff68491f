//! Query hydrator: what the viewer has seen, and what was served lately.

use covey_pipeline::{QueryHydrator, QueryUpdate, Reply, RunContext, ready};
use futures::future;

use crate::feed::query::{FeedQuery, Impressions as Kept};
use crate::hydrators::viewer::no_state;

/// The stored bloom filter and the served history.
pub(crate) struct Impressions;

impl QueryHydrator<FeedQuery> for Impressions {
    fn hydrate<'a>(&'a self, _: &'a RunContext, query: &'a FeedQuery) -> Reply<'a, QueryUpdate<FeedQuery>> {
        let Some(state) = &query.state else {
            return Box::pin(future::ready(Err(no_state())));
        };
        let kept = Kept {
            seen: state.seen.clone(),
            served: state.served.iter().copied().collect(),
        };
        ready(QueryUpdate::new(move |query: &mut FeedQuery| query.impressions = kept))
    }
}
