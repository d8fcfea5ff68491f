//! Filter: one of a post and its reposts.

use std::collections::BTreeMap;

use covey_pipeline::{Filter, Reply, RunContext, Verdict, ready};
use covey_shared::ids::PostId;

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;

/// Of each original: itself if it is a candidate, else its first in-network repost, else its first repost. The last of the
/// rules, so that what the others remove does not displace what they keep.
pub(crate) struct RetweetDedup;

impl Filter<FeedQuery, FeedCandidate> for RetweetDedup {
    fn filter<'a>(
        &'a self,
        _: &'a RunContext,
        _: &'a FeedQuery,
        posts: &'a mut [FeedCandidate],
    ) -> Reply<'a, Vec<Verdict>> {
        let mut best: BTreeMap<PostId, (Rank, usize)> = BTreeMap::new();
        for (i, post) in posts.iter().enumerate() {
            let mine = (rank(post), i);
            let kept = best.entry(post.shown().post).or_insert(mine);
            *kept = mine.min(*kept);
        }
        let other =
            |(i, post): (usize, &FeedCandidate)| best.get(&post.shown().post).is_some_and(|(_, kept)| *kept != i);
        ready(
            posts
                .iter()
                .enumerate()
                .map(|entry| Verdict::remove_if(other(entry), "other_version"))
                .collect(),
        )
    }
}

/// Lower is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Original,
    InNetworkRepost,
    Repost,
}

fn rank(post: &FeedCandidate) -> Rank {
    match (post.core.repost_of.post, post.in_network) {
        (PostId(0), _) => Rank::Original,
        (_, Some(true)) => Rank::InNetworkRepost,
        (_, _) => Rank::Repost,
    }
}

#[cfg(test)]
#[path = "retweet_dedup_test.rs"]
mod tests;
