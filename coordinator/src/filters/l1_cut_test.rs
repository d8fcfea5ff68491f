//! Tests of l1 cut.

use covey_config::{Config, Metric};
use covey_shared::ids::UserId;

use super::*;
use crate::feed::testing::{MINUTE, ago, core, post, query, verdicts};

fn rule() -> L1Cut {
    let config = Config::default();
    L1Cut {
        weights: config.feed.l1,
        metric: Metric::InnerProduct,
        most: 10,
        min_share: 0.2,
    }
}

fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-9, "{a} is not {b}");
}

#[test]
fn recency_halves_with_the_half_life() {
    let mut old = post(2, 1);
    old.core.created_at = ago(6 * 60 * MINUTE);
    close(recency(&query(), &old, Duration::from_secs(6 * 3600)), 0.5);
    old.core.created_at = ago(0);
    close(recency(&query(), &old, Duration::from_secs(6 * 3600)), 1.0);
}

#[test]
fn engagement_is_a_rate_with_credit_for_few_views() {
    let rate = |engaged, unwanted, views| {
        engagement(Engagement {
            engaged,
            unwanted,
            views,
        })
    };
    close(rate(0, 0, 0), 0.0);
    close(rate(5, 0, 30), 0.1);
    close(rate(5, 5, 30), 0.0);
    close(rate(5, 500, 30), 0.0);
    // Clients that report no impressions.
    close(rate(20, 0, 0), 0.5);
}

#[test]
fn affinity_saturates_and_is_never_negative() {
    let mut query = query();
    query.affinity.insert(UserId(2), 3);
    query.affinity.insert(UserId(3), -5);
    close(affinity(&query, &post(2, 1)), 0.5);
    close(affinity(&query, &post(3, 1)), 0.0);
    close(affinity(&query, &post(4, 1)), 0.0);
}

#[test]
fn the_score_is_the_weighted_sum() {
    let mut near = FeedCandidate::found(core(2, 1), Channel::OutOfNetwork, 1);
    near.channels[0].score = 0.5;
    near.core.created_at = ago(0);
    near.in_network = Some(true);
    let mut query = query();
    query.affinity.insert(UserId(2), 3);
    // similarity 1 × .5, recency 1 × 1, engagement 0, affinity 1 × .5, in-network .5 × 1
    close(rule().score(&query, &near), 2.5);
}

#[test]
fn a_negative_weight_never_makes_a_negative_score() {
    let mut rule = rule();
    rule.weights.recency = -3.0;
    let mut fresh = post(2, 1);
    fresh.core.created_at = ago(0);
    close(rule.score(&query(), &fresh), 0.0);
}

#[test]
fn each_channel_keeps_its_share_and_the_rest_goes_by_score() {
    let mut posts: Vec<_> = (0..12)
        .map(|i| FeedCandidate::found(core(i + 2, i + 1), Channel::Popular, 1))
        .collect();
    let oldest = |i: u64| FeedCandidate::found(core(50 + i, 100 + i), Channel::New, 1);
    posts.extend((0..3).map(oldest));
    for post in &mut posts[12..] {
        post.core.created_at = ago(1000 * MINUTE);
    }
    let said = verdicts(&rule(), &query(), &mut posts);
    let kept: Vec<_> = (0..15).filter(|i| said[*i] == Verdict::Keep).collect();
    // Two of ten are New's share; of posts with equal scores the lower ids stay.
    assert_eq!(kept, [0, 1, 2, 3, 4, 5, 6, 7, 12, 13]);
    assert_eq!(said[14], Verdict::Remove("below_the_cut"));
}

#[test]
fn nothing_is_cut_when_all_fit() {
    let mut posts: Vec<_> = (0..10).map(|i| post(i + 2, i + 1)).collect();
    assert!(
        verdicts(&rule(), &query(), &mut posts)
            .iter()
            .all(|said| *said == Verdict::Keep)
    );
}

#[test]
fn shares_that_add_up_to_more_than_all_are_cut_off() {
    let rule = L1Cut {
        min_share: 0.25,
        most: 3,
        ..rule()
    };
    let mut posts: Vec<_> = (0..8).map(|i| post(i + 2, i + 1)).collect();
    let said = verdicts(&rule, &query(), &mut posts);
    assert_eq!(said.iter().filter(|said| **said == Verdict::Keep).count(), 3);
}

#[test]
fn a_resumed_page_keeps_the_scores_it_has() {
    let resumed = FeedQuery {
        resumed: true,
        ..query()
    };
    assert!(!rule().enable(&resumed));
}

#[test]
fn a_distance_becomes_a_similarity() {
    let rule = L1Cut {
        metric: Metric::L2,
        ..rule()
    };
    let mut far = FeedCandidate::found(core(2, 1), Channel::OutOfNetwork, 1);
    far.channels[0].score = -3.0;
    close(rule.similarity(&far), 0.25);
    far.channels[0].score = f32::NEG_INFINITY;
    close(rule.similarity(&far), 0.0);
}
