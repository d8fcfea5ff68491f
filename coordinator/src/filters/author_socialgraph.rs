//! Filter: posts by, or of, users whom the viewer blocks or mutes.

use covey_pipeline::{RowFilter, Verdict};

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;

/// Required: without the viewer's lists nothing passes. Whether an author blocks the viewer is known on the author's shard
/// and asked after selection.
pub(crate) struct AuthorSocialgraph;

impl RowFilter<FeedQuery, FeedCandidate> for AuthorSocialgraph {
    fn required(&self) -> bool {
        true
    }

    fn judge(&self, query: &FeedQuery, post: &FeedCandidate) -> Verdict {
        let Some(features) = &query.features else {
            return Verdict::Unjudged("lists_unknown");
        };
        for author in post.authors() {
            if features.blocks(author) {
                return Verdict::Remove("blocked_author");
            }
            if features.mutes(author) {
                return Verdict::Remove("muted_author");
            }
        }
        Verdict::Keep
    }
}

#[cfg(test)]
#[path = "author_socialgraph_test.rs"]
mod tests;
