//! Filter: what was served in this session, or a short while ago.

use covey_pipeline::{RowFilter, Verdict};

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;

/// The cursor and the client remember the session; across sessions the served history is best effort. After
/// `feed.served_suppression` a post that was served but not seen may return.
pub(crate) struct PreviouslyServed;

impl RowFilter<FeedQuery, FeedCandidate> for PreviouslyServed {
    fn judge(&self, query: &FeedQuery, post: &FeedCandidate) -> Verdict {
        for id in post.related() {
            if query.known.cursor.contains(&id) {
                return Verdict::Remove("cursor");
            }
            if query.known.served.contains(&id) {
                return Verdict::Remove("served_ids");
            }
            if query.impressions.served.contains(&id) {
                return Verdict::Remove("served_lately");
            }
        }
        Verdict::Keep
    }
}

#[cfg(test)]
#[path = "previously_served_test.rs"]
mod tests;
