//! Scorer: the first, cheap score orders all, as long as there is no ranking model.

use covey_pipeline::{Reply, Rows, RunContext, Score, Scorer, ready};

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;

/// On the fallback scale, so that these scores never mix with those of a model.
pub(crate) struct L1Order;

impl Scorer<FeedQuery, FeedCandidate> for L1Order {
    fn score<'a>(
        &'a self,
        _: &'a RunContext,
        _: &'a FeedQuery,
        posts: &'a [FeedCandidate],
    ) -> Reply<'a, Rows<FeedCandidate>> {
        let score = |post: &FeedCandidate| Score::fallback(post.l1).unwrap_or(Score::UNSCORED);
        let scores = posts.iter().map(score).collect();
        ready(Rows::all(scores, |post: &mut FeedCandidate, score: Score| {
            (post.weighted, post.diversified, post.score) = (score, score, score);
        }))
    }

    fn step(&self, post: &FeedCandidate) -> Option<Score> {
        Some(post.weighted)
    }
}
