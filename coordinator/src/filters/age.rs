//! Filter: posts older than feed.max_post_age.

use covey_pipeline::{RowFilter, Verdict};

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;

/// Off when the query has no oldest moment.
pub(crate) struct Age;

impl RowFilter<FeedQuery, FeedCandidate> for Age {
    fn enable(&self, query: &FeedQuery) -> bool {
        query.oldest.is_some()
    }

    fn judge(&self, query: &FeedQuery, post: &FeedCandidate) -> Verdict {
        let too_old = query.oldest.is_some_and(|oldest| post.core.created_at < oldest);
        Verdict::remove_if(too_old, "too_old")
    }
}

#[cfg(test)]
#[path = "age_test.rs"]
mod tests;
