//! Scorer: the first, cheap score orders all, as long as there is no ranking model.

use covey_pipeline::{Reply, Rows, RunContext, Score, Scorer, ready};

use crate::feed::candidate::{FeedCandidate, Scored};
use crate::feed::query::FeedQuery;

/// On the fallback scale, so that these scores never mix with those of a model.
pub(crate) struct L1Order;

impl Scorer<FeedQuery, FeedCandidate> for L1Order {
    fn score<'a>(
        &'a self,
        run: &'a RunContext,
        query: &'a FeedQuery,
        posts: &'a [FeedCandidate],
    ) -> Reply<'a, Rows<FeedCandidate>> {
        let score = |post: &FeedCandidate| post.l1.and_then(Score::fallback).unwrap_or(Score::UNSCORED);
        let scores = posts.iter().map(score).collect();
        let scored = Scored {
            at: query.now,
            request: run.request_id(),
        };
        ready(Rows::all(scores, move |post: &mut FeedCandidate, score: Score| {
            (post.weighted, post.diversified, post.score) = (score, score, score);
            post.scored = Some(scored);
        }))
    }

    fn step(&self, post: &FeedCandidate) -> Option<Score> {
        Some(post.weighted)
    }
}
