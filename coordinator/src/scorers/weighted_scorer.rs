//! Scorer: makes one number of a model's predictions.

use covey_pipeline::{Reply, Rows, RunContext, Score, Scorer, ready};

use crate::feed::candidate::{FeedCandidate, Scored};
use crate::feed::query::FeedQuery;
use crate::ranking::weighted_score::WeightedScore;

/// What has no predictions is ordered by its first score, on a scale of its own below all that have some: the two never mix.
pub(crate) struct WeightedScorer {
    pub(crate) weighted: WeightedScore,
    /// The version of the model that predicts.
    pub(crate) model: Option<u32>,
}

impl WeightedScorer {
    fn of(&self, post: &FeedCandidate) -> Score {
        let score = match &post.predictions {
            Some(predictions) => Score::new(self.weighted.of(predictions, post.video_ms)),
            None => post.l1.and_then(Score::fallback),
        };
        score.unwrap_or(Score::UNSCORED)
    }
}

impl Scorer<FeedQuery, FeedCandidate> for WeightedScorer {
    fn score<'a>(
        &'a self,
        run: &'a RunContext,
        query: &'a FeedQuery,
        posts: &'a [FeedCandidate],
    ) -> Reply<'a, Rows<FeedCandidate>> {
        let scores = posts.iter().map(|post| self.of(post)).collect();
        let scored = Scored {
            at: query.now,
            request: run.request_id(),
            model: self.model,
        };
        ready(Rows::all(scores, move |post: &mut FeedCandidate, score: Score| {
            (post.weighted, post.diversified, post.networked, post.score) = (score, score, score, score);
            post.scored = Some(Scored {
                model: scored.model.filter(|_| post.predictions.is_some()),
                ..scored
            });
        }))
    }

    fn step(&self, post: &FeedCandidate) -> Option<Score> {
        Some(post.weighted)
    }
}

#[cfg(test)]
#[path = "weighted_scorer_test.rs"]
mod tests;
