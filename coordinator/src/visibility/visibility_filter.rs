//! Post-selection filter: applies the visibility policy. Fails closed.

use covey_pipeline::{Filter, Reply, RunContext, Verdict, ready};

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;
use crate::hydrators::verdicts::NO_VERDICT;
use crate::visibility::Ruling;
use crate::visibility::policy::{Level, judge};

/// Required: what has no verdict is not served. In-network posts are judged at the level of the home timeline, all
/// others, and those of which it is not known, at the stricter one of recommendations.
pub(crate) struct Visibility;

impl Filter<FeedQuery, FeedCandidate> for Visibility {
    fn required(&self) -> bool {
        true
    }

    fn filter<'a>(
        &'a self,
        _: &'a RunContext,
        _: &'a FeedQuery,
        posts: &'a mut [FeedCandidate],
    ) -> Reply<'a, Vec<Verdict>> {
        ready(posts.iter_mut().map(apply).collect())
    }
}

fn apply(post: &mut FeedCandidate) -> Verdict {
    let level = match post.in_network {
        Some(true) => Level::TimelineHome,
        Some(false) | None => Level::TimelineHomeRecommendations,
    };
    post.ruling = post.facts.as_ref().and_then(|facts| judge(facts, level));
    match post.ruling {
        Some(Ruling::Allow | Ruling::Interstitial(_)) => Verdict::Keep,
        Some(Ruling::Drop(reason)) => Verdict::Remove(reason),
        None => Verdict::Unjudged(NO_VERDICT),
    }
}

#[cfg(test)]
#[path = "visibility_filter_test.rs"]
mod tests;
