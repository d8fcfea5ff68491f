//! The best k of a stream, by score descending, then id ascending.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// One scored thing. Ordered so that the *better* is the *greater*: higher score, then lower id.
#[derive(Debug, Clone, Copy)]
pub struct Ranked<T> {
    /// Higher is better; never NaN.
    pub score: f32,
    /// Breaks ties: the lower id is better.
    pub id: u64,
    /// What the caller wants back.
    pub payload: T,
}

impl<T> Ord for Ranked<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(other.id.cmp(&self.id))
    }
}

impl<T> PartialOrd for Ranked<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Ranked<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Ranked<T> {}

/// A bounded heap of the best `k`.
#[derive(Debug)]
pub struct TopK<T> {
    k: usize,
    /// The worst kept one on top.
    heap: BinaryHeap<Reverse<Ranked<T>>>,
}

impl<T> TopK<T> {
    /// An empty one. `k` was bounded by the caller.
    pub fn new(k: usize) -> Self {
        Self {
            k,
            heap: BinaryHeap::with_capacity(k.min(1024)),
        }
    }

    /// Offers one. Scores come from checked vectors, so NaN is a broken invariant.
    pub fn push(&mut self, score: f32, id: u64, payload: T) {
        debug_assert!(!score.is_nan(), "NaN score for id {id}");
        // −0 becomes 0: equal scores are equal bits, so that the id decides.
        let ranked = Ranked {
            score: score + 0.0,
            id,
            payload,
        };
        if self.heap.len() < self.k {
            self.heap.push(Reverse(ranked));
        } else if let Some(mut worst) = self.heap.peek_mut()
            && ranked > worst.0
        {
            *worst = Reverse(ranked);
        }
    }

    /// The score a new one must reach to get in; minus infinity while there is room.
    pub fn threshold(&self) -> f32 {
        match self.heap.peek() {
            Some(worst) if self.heap.len() >= self.k => worst.0.score,
            _ if self.k == 0 => f32::INFINITY,
            _ => f32::NEG_INFINITY,
        }
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// The kept ones, best first.
    pub fn into_sorted(self) -> Vec<Ranked<T>> {
        self.heap
            .into_sorted_vec()
            .into_iter()
            .map(|Reverse(ranked)| ranked)
            .collect()
    }
}

#[cfg(test)]
#[path = "top_k_test.rs"]
mod tests;
