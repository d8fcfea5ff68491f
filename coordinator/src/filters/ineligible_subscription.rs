//! Filter: posts for subscribers of authors to whom the viewer does not subscribe.

use covey_pipeline::{RowFilter, Verdict};
use covey_shared::wire::{Candidate, CandidateFlags};

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;

/// What a post for subscribers is removed for.
pub(crate) const NOT_SUBSCRIBED: &str = "not_subscribed";

/// Required: without the viewer's lists no post for subscribers passes. A repost shows what it repeats, so that decides,
/// too; where it could not be read, nobody knows for whom it is.
pub(crate) struct IneligibleSubscription;

impl RowFilter<FeedQuery, FeedCandidate> for IneligibleSubscription {
    fn required(&self) -> bool {
        true
    }

    fn judge(&self, query: &FeedQuery, post: &FeedCandidate) -> Verdict {
        for core in [Some(&post.core), post.source()].into_iter().flatten() {
            match may_read(query, core) {
                Some(true) => {}
                Some(false) => return Verdict::Remove(NOT_SUBSCRIBED),
                None => return Verdict::Unjudged("lists_unknown"),
            }
        }
        if post.source_unknown() {
            return Verdict::Unjudged("source_unknown");
        }
        Verdict::Keep
    }
}

fn may_read(query: &FeedQuery, post: &Candidate) -> Option<bool> {
    if post.flags.has(CandidateFlags::SUBSCRIBERS_ONLY) {
        query.may_read(post.key.author)
    } else {
        Some(true)
    }
}

#[cfg(test)]
#[path = "ineligible_subscription_test.rs"]
mod tests;
