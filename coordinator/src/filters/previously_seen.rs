//! Filter: what the viewer has seen: the post, what it repeats or what it answers.

use covey_pipeline::{RowFilter, Verdict};

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;

/// Seen, says the client by id or by bloom filter, or says the stored bloom filter, which forgets in generations.
pub(crate) struct PreviouslySeen;

impl RowFilter<FeedQuery, FeedCandidate> for PreviouslySeen {
    fn judge(&self, query: &FeedQuery, post: &FeedCandidate) -> Verdict {
        for id in post.related() {
            if query.known.seen.contains(&id) {
                return Verdict::Remove("seen_ids");
            }
            if query.client_blooms.iter().any(|bloom| bloom.contains(id)) {
                return Verdict::Remove("client_bloom");
            }
            if query.impressions.seen.contains(id) {
                return Verdict::Remove("stored_bloom");
            }
        }
        Verdict::Keep
    }
}

#[cfg(test)]
#[path = "previously_seen_test.rs"]
mod tests;
