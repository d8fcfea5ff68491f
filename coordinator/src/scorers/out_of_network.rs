//! Scorer: posts of strangers count for a little less.

use covey_pipeline::{Reply, Rows, RunContext, Score, Scorer, ready};

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;

/// Only what is known to be out of network; what is not known keeps its score.
pub(crate) struct OutOfNetwork {
    /// `feed.oon_factor`.
    pub(crate) factor: f64,
}

impl Scorer<FeedQuery, FeedCandidate> for OutOfNetwork {
    fn score<'a>(
        &'a self,
        _: &'a RunContext,
        _: &'a FeedQuery,
        posts: &'a [FeedCandidate],
    ) -> Reply<'a, Rows<FeedCandidate>> {
        let score = |post: &FeedCandidate| match post.in_network {
            Some(false) => post.diversified.times(self.factor),
            Some(true) | None => post.diversified,
        };
        let scores = posts.iter().map(score).collect();
        ready(Rows::all(scores, |post: &mut FeedCandidate, score: Score| {
            (post.networked, post.score) = (score, score);
        }))
    }

    fn step(&self, post: &FeedCandidate) -> Option<Score> {
        Some(post.networked)
    }
}

#[cfg(test)]
#[path = "out_of_network_test.rs"]
mod tests;
