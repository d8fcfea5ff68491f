//! The first score: cheap enough for every candidate. A linear formula over features between 0 and 1.

use std::time::Duration;

use covey_config::{L1Config, Metric};
use covey_shared::wire::Engagement;

use crate::feed::candidate::{Channel, ChannelHit, FeedCandidate};
use crate::feed::query::FeedQuery;

/// Views that a post is given on credit: one like among three viewers is no rate yet.
const PRIOR_VIEWS: f64 = 20.0;
/// Liked posts of an author at which affinity is one half.
const HALF_AFFINITY: f64 = 3.0;

/// The formula.
#[derive(Clone, Debug)]
pub(crate) struct L1 {
    /// `[feed.l1]`.
    pub(crate) weights: L1Config,
    /// `embedding.metric`.
    pub(crate) metric: Metric,
}

impl L1 {
    /// The score of a candidate, which keeps it: whoever asks first computes it.
    pub(crate) fn of(&self, query: &FeedQuery, post: &mut FeedCandidate) -> f64 {
        let score = post.l1.unwrap_or_else(|| self.score(query, post));
        post.l1 = Some(score);
        score
    }

    /// Weighted sum of the features, less the lowest that it can be: never negative, so that a factor below 1 always
    /// lowers a score.
    pub(crate) fn score(&self, query: &FeedQuery, post: &FeedCandidate) -> f64 {
        let weights = &self.weights;
        let terms = [
            (weights.similarity, self.similarity(post)),
            (weights.recency, recency(query, post, weights.recency_half_life)),
            (weights.engagement, engagement(post.ranked_as().engagement)),
            (weights.affinity, affinity(query, post)),
            (weights.in_network, f64::from(u8::from(post.in_network == Some(true)))),
        ];
        terms
            .iter()
            .map(|(weight, feature)| weight * feature - weight.min(0.0))
            .sum()
    }

    /// To the viewer's interests, or to a post that the viewer acted on; 0 for posts that were not found by similarity.
    fn similarity(&self, post: &FeedCandidate) -> f64 {
        let by_vector = |hit: &&ChannelHit| matches!(hit.channel, Channel::OutOfNetwork | Channel::SimilarToRecent);
        let best = post
            .channels
            .iter()
            .filter(by_vector)
            .map(|hit| hit.score)
            .reduce(f32::max);
        let Some(score) = best.map(f64::from) else {
            return 0.0;
        };
        let similarity = match self.metric {
            Metric::InnerProduct => score,
            // A distance, negated.
            Metric::L2 => 1.0 / (1.0 - score.min(0.0)),
        };
        if similarity.is_nan() {
            0.0
        } else {
            similarity.clamp(0.0, 1.0)
        }
    }
}

/// One half after the half-life; a repost is as fresh as itself.
fn recency(query: &FeedQuery, post: &FeedCandidate, half_life: Duration) -> f64 {
    let age = query.now.since(post.core.created_at) as f64;
    (-age / half_life.as_millis().max(1) as f64).exp2()
}

/// Share of the viewers who engaged, less those who did not want to see it.
fn engagement(counts: Engagement) -> f64 {
    let [engaged, unwanted, views] = [counts.engaged, counts.unwanted, counts.views].map(f64::from);
    ((engaged - unwanted) / (views.max(engaged + unwanted) + PRIOR_VIEWS)).max(0.0)
}

/// How often the viewer liked what the author, or the author of what is repeated, wrote.
fn affinity(query: &FeedQuery, post: &FeedCandidate) -> f64 {
    let authors = [post.core.key.author, post.core.repost_of.author];
    let liked = authors
        .iter()
        .filter_map(|author| query.affinity.get(author))
        .max()
        .copied()
        .unwrap_or(0);
    let liked = f64::from(liked.max(0));
    liked / (liked + HALF_AFFINITY)
}

#[cfg(test)]
#[path = "l1_test.rs"]
mod tests;
