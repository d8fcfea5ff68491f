//! Scores with a total order, hits, and the exact merge of partial top-k lists.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;

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

/// A row of a list that every shard orders alike: the highest rank first, of the same rank the lower post id first.
pub trait Ranked {
    /// What it is ordered by; higher is better.
    type Rank: Ord;

    /// Its rank.
    fn rank(&self) -> Self::Rank;

    /// Author and id of the post.
    fn key(&self) -> PostKey;

    /// Slot of the author: a merge tells by it which answer owns the row.
    fn slot(&self) -> Slot {
        Slot::of(self.key().author)
    }

    /// Where it stands: the lower of two places is the better one.
    fn place(&self) -> (Reverse<Self::Rank>, PostId) {
        (Reverse(self.rank()), self.key().post)
    }
}

impl Ranked for Hit {
    type Rank = Score;

    fn rank(&self) -> Score {
        self.score
    }

    fn key(&self) -> PostKey {
        self.key
    }

    fn slot(&self) -> Slot {
        Slot(self.slot)
    }
}

/// Sorts best first and keeps the `k` best, one per post: equal to what one big shard would return.
pub fn merge_top_k<R: Ranked>(mut rows: Vec<R>, k: usize) -> Vec<R> {
    rows.sort_unstable_by_key(|row| (row.place(), row.key()));
    let mut seen = BTreeSet::new();
    rows.retain(|row| seen.len() < k && seen.insert(row.key().post));
    rows
}

#[cfg(test)]
#[path = "score_test.rs"]
mod tests;
