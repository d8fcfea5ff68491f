//! Scorer: asks the ranking model what the viewer would do with each post.

use std::sync::Arc;
use std::time::Duration;

use covey_pipeline::{ComponentError, Reply, RowError, Rows, RunContext, Scorer};

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;
use crate::ranking::predictions::{Outputs, Predictions};
use crate::ranking::ranker::{RankRequest, Ranker};

/// Off without a model. A post without predictions, because the model failed as a whole or for this post, is ordered by
/// its first score, below all that have some.
pub(crate) struct ModelScorer {
    pub(crate) ranker: Option<Arc<dyn Ranker>>,
    /// `feed.rank_timeout`.
    pub(crate) timeout: Duration,
}

impl Scorer<FeedQuery, FeedCandidate> for ModelScorer {
    fn enable(&self, _: &FeedQuery) -> bool {
        self.ranker.is_some()
    }

    fn budget(&self) -> Duration {
        self.timeout
    }

    fn score<'a>(
        &'a self,
        _: &'a RunContext,
        query: &'a FeedQuery,
        posts: &'a [FeedCandidate],
    ) -> Reply<'a, Rows<FeedCandidate>> {
        Box::pin(async move {
            let ranker = self.ranker.as_ref().ok_or_else(|| ComponentError::new("no_model"))?;
            let request = RankRequest {
                viewer: query.viewer,
                now: query.now,
                history: &query.sequence,
                posts: posts.iter().map(FeedCandidate::ranked_as).collect(),
            };
            let rows = ranker.rank(request).await?.into_iter().map(checked).collect();
            Ok(Rows::new(rows, |post: &mut FeedCandidate, predictions| {
                post.predictions = Some(predictions);
            }))
        })
    }
}

fn checked(outputs: Option<Outputs>) -> Result<Predictions, RowError> {
    let outputs = outputs.ok_or(RowError("no_prediction"))?;
    Predictions::new(outputs).ok_or(RowError("not_a_probability"))
}

#[cfg(test)]
#[path = "model_scorer_test.rs"]
mod tests;
