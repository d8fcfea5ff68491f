//! Query hydrator: whom the viewer follows, blocks, mutes and subscribes to, and which words are muted.

use covey_pipeline::{QueryHydrator, QueryUpdate, Reply, RunContext, ready};
use futures::future;

use crate::feed::query::{FeedQuery, UserFeatures as Features};
use crate::hydrators::viewer::no_state;

/// Required: the blocks of the viewer.
pub(crate) struct UserFeatures;

impl QueryHydrator<FeedQuery> for UserFeatures {
    fn required(&self) -> bool {
        true
    }

    fn hydrate<'a>(&'a self, _: &'a RunContext, query: &'a FeedQuery) -> Reply<'a, QueryUpdate<FeedQuery>> {
        let Some(state) = &query.state else {
            return Box::pin(future::ready(Err(no_state())));
        };
        let features = Features {
            follows: sorted(&state.follows),
            blocks: sorted(&state.blocks),
            mutes: sorted(&state.mutes),
            subscriptions: sorted(&state.subscriptions),
            topics: sorted(&state.topics),
            muted_keywords: state.muted_keywords.clone(),
        };
        ready(QueryUpdate::new(move |query: &mut FeedQuery| {
            query.features = Some(features)
        }))
    }
}

/// The lists are ascending as the shard sends them; an order that came over the wire is not trusted.
fn sorted<T: Copy + Ord>(list: &[T]) -> Vec<T> {
    let mut list = list.to_vec();
    list.sort_unstable();
    list.dedup();
    list
}
