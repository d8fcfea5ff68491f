//! Post-selection filter: applies the visibility policy. Fails closed.

use covey_pipeline::{Filter, Reply, RunContext, Verdict, ready};

use crate::feed::candidate::{Facts, FeedCandidate};
use crate::feed::query::FeedQuery;
use crate::filters::ineligible_subscription::NOT_SUBSCRIBED;
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
        query: &'a FeedQuery,
        posts: &'a mut [FeedCandidate],
    ) -> Reply<'a, Vec<Verdict>> {
        ready(posts.iter_mut().map(|post| apply(query, post)).collect())
    }
}

fn apply(query: &FeedQuery, post: &mut FeedCandidate) -> Verdict {
    post.ruling = post.facts.as_ref().and_then(|facts| {
        if is_for_others(query, facts) {
            return Some(Ruling::Drop(NOT_SUBSCRIBED));
        }
        judge(facts, Level::of(post.in_network))
    });
    match post.ruling {
        Some(Ruling::Allow | Ruling::Interstitial(_)) => Verdict::Keep,
        Some(Ruling::Drop(reason)) => Verdict::Remove(reason),
        None => Verdict::Unjudged(NO_VERDICT),
    }
}

/// It is for subscribers only since it became a candidate, which for a reserve may be minutes ago.
fn is_for_others(query: &FeedQuery, facts: &Facts) -> bool {
    let shown = [&facts.own, &facts.source].into_iter().flatten();
    let mut posts = shown.filter_map(|verdict| verdict.post.as_ref());
    posts.any(|post| post.subscribers_only && query.may_read(post.author()) != Some(true))
}

#[cfg(test)]
#[path = "visibility_filter_test.rs"]
mod tests;
