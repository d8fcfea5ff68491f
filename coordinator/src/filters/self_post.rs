//! Filter: the viewer's own posts.

use covey_pipeline::{RowFilter, Verdict};

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;

/// Viewers know what they wrote.
pub(crate) struct SelfPost;

impl RowFilter<FeedQuery, FeedCandidate> for SelfPost {
    fn judge(&self, query: &FeedQuery, post: &FeedCandidate) -> Verdict {
        Verdict::remove_if(post.author_id() == query.viewer, "own_post")
    }
}

#[cfg(test)]
#[path = "self_post_test.rs"]
mod tests;
