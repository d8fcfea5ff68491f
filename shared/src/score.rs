//! Scores with a total order, hits, and the exact merge of partial top-k lists.

use std::cmp::Ordering;

use bincode::{Decode, Encode};
use serde::Serialize;

use crate::ids::{PostId, PostKey};
use crate::slots::Slot;

/// A score that is never NaN, so that every list has exactly one order.
#[derive(Clone, Copy, Debug, PartialEq, Default, Encode, Decode, Serialize)]
#[serde(transparent)]
pub struct Score(f32);

impl Score {
    /// The score below all others: what was never scored.
    pub const LOWEST: Score = Score(f32::NEG_INFINITY);

    /// `value` as a score; `None` for NaN. −0 becomes 0, so that equal scores are equal bits.
    pub fn new(value: f32) -> Option<Score> {
        (!value.is_nan()).then_some(Score(value + 0.0))
    }

    /// `value` as a score, NaN as [`Score::LOWEST`]: for hits that came over the wire.
    pub fn or_lowest(value: f32) -> Score {
        Score::new(value).unwrap_or(Score::LOWEST)
    }

    /// The raw value.
    pub fn get(self) -> f32 {
        self.0
    }
}

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// One result of a search. Best first is: higher score, then lower post id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize)]
pub struct Hit {
    /// Author and id of the post.
    pub key: PostKey,
    /// Its slot, so that a merge can tell which answer owns it.
    pub slot: u16,
    /// Similarity; higher is better for every metric.
    pub score: Score,
}

impl Hit {
    /// The slot of the hit.
    pub fn slot(&self) -> Slot {
        Slot(self.slot)
    }
}

/// Order of hits and ranked posts: higher score first, ties by lower post id.
pub fn best_first(a: (Score, PostId), b: (Score, PostId)) -> Ordering {
    b.0.cmp(&a.0).then(a.1.cmp(&b.1))
}

/// Sorts best first and keeps the `k` best, one per post: equal to what one big shard would return.
pub fn merge_top_k(mut hits: Vec<Hit>, k: usize) -> Vec<Hit> {
    hits.sort_unstable_by(|a, b| best_first((a.score, a.key.post), (b.score, b.key.post)).then(a.key.cmp(&b.key)));
    let mut seen = std::collections::BTreeSet::new();
    hits.retain(|hit| seen.len() < k && seen.insert(hit.key.post));
    hits
}

#[cfg(test)]
#[path = "score_test.rs"]
mod tests;
