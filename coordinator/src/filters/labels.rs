//! Filter: posts that their labels will drop after selection anyway.

use covey_pipeline::{RowFilter, Verdict};

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;
use crate::visibility::Ruling;
use crate::visibility::policy::{Level, judge_labels};

/// By the labels that a candidate came with, and those of what it repeats: else it would take the place of a copy or a repost
/// that may be shown, a place of the slate, and score of its author's other posts. What its owners say after selection decides.
pub(crate) struct Labels;

impl RowFilter<FeedQuery, FeedCandidate> for Labels {
    fn judge(&self, _: &FeedQuery, post: &FeedCandidate) -> Verdict {
        let labels = post.core.labels | post.source().map_or(0, |source| source.labels);
        match judge_labels(labels, Level::of(post.in_network)) {
            Ruling::Drop(reason) => Verdict::Remove(reason),
            Ruling::Allow | Ruling::Interstitial(_) => Verdict::Keep,
        }
    }
}

#[cfg(test)]
#[path = "labels_test.rs"]
mod tests;
