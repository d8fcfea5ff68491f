//! Filter: posts older than feed.max_post_age.

use covey_pipeline::{Filter, Reply, RunContext, Verdict, ready};

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;

/// Off when the query has no oldest moment.
pub(crate) struct Age;

impl Filter<FeedQuery, FeedCandidate> for Age {
    fn enable(&self, query: &FeedQuery) -> bool {
        query.oldest.is_some()
    }

    fn filter<'a>(
        &'a self,
        _: &'a RunContext,
        query: &'a FeedQuery,
        posts: &'a mut [FeedCandidate],
    ) -> Reply<'a, Vec<Verdict>> {
        let too_old = |post: &FeedCandidate| query.oldest.is_some_and(|oldest| post.core.created_at < oldest);
        ready(
            posts
                .iter()
                .map(|post| Verdict::remove_if(too_old(post), "too_old"))
                .collect(),
        )
    }
}

#[cfg(test)]
#[path = "age_test.rs"]
mod tests;
