//! The last filter before scoring: the cut, by the first score, to what the second one can take.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use covey_pipeline::{Filter, Reply, RunContext, Score, Verdict, ready};

use crate::feed::candidate::{Channel, FeedCandidate};
use crate::feed::query::FeedQuery;
use crate::ranking::l1::L1;

/// A cut in which each channel keeps a share.
pub(crate) struct L1Cut {
    pub(crate) l1: L1,
    /// `feed.l2_candidates`.
    pub(crate) most: usize,
    /// `feed.channel_min_share`.
    pub(crate) min_share: f64,
}

impl Filter<FeedQuery, FeedCandidate> for L1Cut {
    /// A reserve has been scored and cut.
    fn enable(&self, query: &FeedQuery) -> bool {
        !query.resumed
    }

    fn filter<'a>(
        &'a self,
        _: &'a RunContext,
        query: &'a FeedQuery,
        posts: &'a mut [FeedCandidate],
    ) -> Reply<'a, Vec<Verdict>> {
        for post in posts.iter_mut() {
            self.l1.of(query, post);
        }
        let kept = self.cut(posts);
        ready(
            (0..posts.len())
                .map(|i| Verdict::remove_if(!kept.contains(&i), "below_the_cut"))
                .collect(),
        )
    }
}

impl L1Cut {
    /// Positions that go on: first each channel's best, up to its share, then the best of all.
    fn cut(&self, posts: &[FeedCandidate]) -> BTreeSet<usize> {
        if posts.len() <= self.most {
            return (0..posts.len()).collect();
        }
        let mut order: Vec<usize> = (0..posts.len()).collect();
        order.sort_by_key(|i| (Reverse(posts[*i].l1.and_then(Score::new)), posts[*i].post()));
        // No more than an equal one: the last channels would have none.
        let share = self.min_share.min(1.0 / Channel::ALL.len() as f64);
        let share = (share * self.most as f64) as usize;
        let of = |channel| {
            order
                .iter()
                .filter(move |i| posts[**i].hit(channel).is_some())
                .take(share)
        };
        let first = Channel::ALL.into_iter().flat_map(of);
        let mut kept = BTreeSet::new();
        for i in first.chain(&order) {
            if kept.len() == self.most {
                break;
            }
            kept.insert(*i);
        }
        kept
    }
}

#[cfg(test)]
#[path = "l1_cut_test.rs"]
mod tests;
