//! The weighted score: what all that a viewer may do with a post is worth. A pure function of the predictions.

use covey_config::FeedConfig;
use covey_shared::model::{ActionKind, HEADS};

use crate::ranking::predictions::{Predictions, heads};

/// The formula with its constants, computed once.
///
/// x = Σ wᵢ·pᵢ over the 19 outputs, dwell time in seconds. With N = −Σ of the negative weights of the 18 discrete heads,
/// W = Σ of the positive ones + N, and the offset o: max(x, 0) if W = 0; (x + N)/W·o if x < 0; else x + o. So no score is negative,
/// and factors behind this step lower what they are to lower; a larger x never has the smaller score. Source: `WeightedScorer` (with
/// `offset_score`) of X's open-sourced x-algorithm, and the heavy ranker's weights of its the-algorithm before it.
#[derive(Clone, Debug)]
pub(crate) struct WeightedScore {
    weights: [f64; HEADS],
    /// N.
    negative: f64,
    /// W.
    total: f64,
    /// o.
    offset: f64,
    /// Only longer videos count for vqv, in milliseconds.
    min_video_ms: u128,
}

impl WeightedScore {
    /// A head that is not calibrated weighs 0, in the sums, too.
    pub(crate) fn new(feed: &FeedConfig, is_calibrated: impl Fn(ActionKind) -> bool) -> WeightedScore {
        let mut weights = feed.weights.by_head();
        for head in heads().filter(|head| !is_calibrated(*head)) {
            weights[head.index()] = 0.0;
        }
        let discrete = &weights[..ActionKind::DwellTime.index()];
        let negative = -discrete.iter().filter(|weight| **weight < 0.0).sum::<f64>();
        let positive: f64 = discrete.iter().filter(|weight| **weight > 0.0).sum();
        WeightedScore {
            weights,
            // Of no negative weights the sum is −0.
            negative: negative + 0.0,
            total: positive + negative,
            offset: feed.score_offset,
            min_video_ms: feed.min_video_duration.as_millis(),
        }
    }

    /// The score, at least 0; `video_ms` is the length of the video that is shown, if there is one.
    pub(crate) fn of(&self, predictions: &Predictions, video_ms: Option<u32>) -> f64 {
        self.offset(self.sum(predictions, video_ms))
    }

    /// x.
    fn sum(&self, predictions: &Predictions, video_ms: Option<u32>) -> f64 {
        let is_long = video_ms.is_some_and(|length| u128::from(length) > self.min_video_ms);
        let counts = |head: &ActionKind| *head != ActionKind::Vqv || is_long;
        let terms = predictions.values().filter(|(head, _)| counts(head));
        terms.map(|(head, value)| self.weights[head.index()] * value).sum()
    }

    fn offset(&self, sum: f64) -> f64 {
        if self.total == 0.0 {
            sum.max(0.0)
        } else if sum < 0.0 {
            // Rounding must not lead below the least that the sum can be.
            (sum + self.negative).max(0.0) / self.total * self.offset
        } else {
            sum + self.offset
        }
    }
}

#[cfg(test)]
#[path = "weighted_score_test.rs"]
mod tests;
