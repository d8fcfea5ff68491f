//! Hydrator: is the author the viewer, or followed?

use covey_pipeline::{Hydrator, Reply, Rows, RunContext, ready};

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;

/// Needs no read: the viewer's follows are part of the query.
pub(crate) struct InNetwork;

impl Hydrator<FeedQuery, FeedCandidate> for InNetwork {
    fn hydrate<'a>(
        &'a self,
        _: &'a RunContext,
        query: &'a FeedQuery,
        posts: &'a [FeedCandidate],
    ) -> Reply<'a, Rows<FeedCandidate>> {
        let values = posts.iter().map(|post| query.is_in_network(post.author_id())).collect();
        ready(Rows::all(values, |post: &mut FeedCandidate, known| {
            post.in_network = known
        }))
    }
}
