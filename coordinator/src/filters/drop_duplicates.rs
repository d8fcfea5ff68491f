//! Filter: one candidate per post. Channels overlap; the first keeps the post and learns of the other channels.

use std::collections::BTreeMap;

use covey_pipeline::{Filter, Reply, RunContext, Verdict, ready};

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;

/// The first candidate of a post stays.
pub(crate) struct DropDuplicates;

impl Filter<FeedQuery, FeedCandidate> for DropDuplicates {
    fn filter<'a>(
        &'a self,
        _: &'a RunContext,
        _: &'a FeedQuery,
        posts: &'a mut [FeedCandidate],
    ) -> Reply<'a, Vec<Verdict>> {
        let mut first = BTreeMap::new();
        let mut verdicts = Vec::with_capacity(posts.len());
        for i in 0..posts.len() {
            let at = *first.entry(posts[i].post()).or_insert(i);
            verdicts.push(Verdict::remove_if(at != i, "duplicate"));
            if at != i {
                let (before, rest) = posts.split_at_mut(i);
                merge(&mut before[at], &rest[0]);
            }
        }
        ready(verdicts)
    }
}

fn merge(kept: &mut FeedCandidate, other: &FeedCandidate) {
    for hit in &other.channels {
        if kept.hit(hit.channel).is_none() {
            kept.channels.push(*hit);
        }
    }
}

#[cfg(test)]
#[path = "drop_duplicates_test.rs"]
mod tests;
