//! The rules that feeds are compared with, all on the same posts.

use std::cmp::Ordering;

use super::truth::Entry;
use crate::world::dice::Dice;

/// Who made a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Method {
    /// The cluster.
    Pipeline,
    /// Most engagement first; what is older counts less.
    Popularity,
    /// Newest first.
    Recency,
    /// Newest of followed users first, then newest of all.
    Following,
    Random,
    /// By the truth.
    Oracle,
}

impl Method {
    pub(super) const ALL: [Method; 6] = [
        Method::Pipeline,
        Method::Popularity,
        Method::Recency,
        Method::Following,
        Method::Random,
        Method::Oracle,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Method::Pipeline => "pipeline",
            Method::Popularity => "popularity",
            Method::Recency => "recency",
            Method::Following => "following",
            Method::Random => "random",
            Method::Oracle => "oracle",
        }
    }
}

/// The first `k` of the pool; of equals the newer one, then the later one. The cluster has ranked by itself: its list is what it `served`.
pub(super) fn ranked(method: Method, served: &[Entry], pool: &[Entry], k: usize, dice: &mut Dice) -> Vec<Entry> {
    let newest = |a: &Entry, b: &Entry| (b.created_ms, b.post).cmp(&(a.created_ms, a.post));
    match method {
        Method::Pipeline => served.to_vec(),
        Method::Random => drawn(pool, k, dice),
        Method::Recency => first(pool, k, newest),
        Method::Following => first(pool, k, |a, b| b.followed.cmp(&a.followed).then(newest(a, b))),
        Method::Popularity => first(pool, k, |a, b| b.popularity.total_cmp(&a.popularity).then(newest(a, b))),
        Method::Oracle => first(pool, k, |a, b| b.gain.total_cmp(&a.gain).then(newest(a, b))),
    }
}

fn first(pool: &[Entry], k: usize, order: impl Fn(&Entry, &Entry) -> Ordering) -> Vec<Entry> {
    let mut list = pool.to_vec();
    if k < list.len() {
        list.select_nth_unstable_by(k, &order);
        list.truncate(k);
    }
    list.sort_by(order);
    list
}

/// Without putting back.
fn drawn(pool: &[Entry], k: usize, dice: &mut Dice) -> Vec<Entry> {
    let mut list = pool.to_vec();
    for place in 0..k.min(list.len()) {
        let other = place + dice.below((list.len() - place) as u64) as usize;
        list.swap(place, other);
    }
    list.truncate(k);
    list
}

#[cfg(test)]
#[path = "baselines_test.rs"]
mod tests;
