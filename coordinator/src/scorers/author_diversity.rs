//! Scorer: not everything by one author. Each further post of an author counts for less.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use covey_pipeline::{Reply, Rows, RunContext, Score, Scorer, ready};

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;

/// The k-th further post of an author, in descending order of the weighted score, is multiplied by
/// (1 − floor)·decayᵏ + floor. With .5 and .25: 1, .625, .4375, .344.
pub(crate) struct AuthorDiversity {
    /// `feed.author_decay`.
    pub(crate) decay: f64,
    /// `feed.author_floor`.
    pub(crate) floor: f64,
}

impl AuthorDiversity {
    /// `earlier`: posts of the same author that rank above.
    pub(crate) fn factor(&self, earlier: i32) -> f64 {
        (1.0 - self.floor) * self.decay.powi(earlier) + self.floor
    }
}

impl Scorer<FeedQuery, FeedCandidate> for AuthorDiversity {
    fn score<'a>(
        &'a self,
        _: &'a RunContext,
        _: &'a FeedQuery,
        posts: &'a [FeedCandidate],
    ) -> Reply<'a, Rows<FeedCandidate>> {
        let mut order: Vec<usize> = (0..posts.len()).collect();
        order.sort_by_key(|i| Reverse(posts[*i].weighted));
        let mut earlier = BTreeMap::new();
        let mut scores = vec![Score::UNSCORED; posts.len()];
        for i in order {
            let earlier = earlier.entry(posts[i].author_id()).or_insert(0);
            scores[i] = posts[i].weighted.times(self.factor(*earlier));
            *earlier += 1;
        }
        ready(Rows::all(scores, |post: &mut FeedCandidate, score: Score| {
            (post.diversified, post.networked, post.score) = (score, score, score);
        }))
    }

    fn step(&self, post: &FeedCandidate) -> Option<Score> {
        Some(post.diversified)
    }
}

#[cfg(test)]
#[path = "author_diversity_test.rs"]
mod tests;
