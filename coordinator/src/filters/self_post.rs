//! Filter: the viewer's own posts.

use covey_pipeline::{Filter, Reply, RunContext, Verdict, ready};

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;

/// Viewers know what they wrote.
pub(crate) struct SelfPost;

impl Filter<FeedQuery, FeedCandidate> for SelfPost {
    fn filter<'a>(
        &'a self,
        _: &'a RunContext,
        query: &'a FeedQuery,
        posts: &'a mut [FeedCandidate],
    ) -> Reply<'a, Vec<Verdict>> {
        let own = |post: &FeedCandidate| post.author_id() == query.viewer;
        ready(
            posts
                .iter()
                .map(|post| Verdict::remove_if(own(post), "own_post"))
                .collect(),
        )
    }
}

#[cfg(test)]
#[path = "self_post_test.rs"]
mod tests;
