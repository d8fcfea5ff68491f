//! Filter: what was served in this session, or a short while ago.

use covey_pipeline::{Filter, Reply, RunContext, Verdict, ready};

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;

/// The cursor and the client remember the session; across sessions the served history is best effort. After
/// `feed.served_suppression` a post that was served but not seen may return.
pub(crate) struct PreviouslyServed;

impl Filter<FeedQuery, FeedCandidate> for PreviouslyServed {
    fn filter<'a>(
        &'a self,
        _: &'a RunContext,
        query: &'a FeedQuery,
        posts: &'a mut [FeedCandidate],
    ) -> Reply<'a, Vec<Verdict>> {
        ready(posts.iter().map(|post| judge(query, post)).collect())
    }
}

fn judge(query: &FeedQuery, post: &FeedCandidate) -> Verdict {
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

#[cfg(test)]
#[path = "previously_served_test.rs"]
mod tests;
