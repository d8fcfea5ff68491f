//! Tests of the first score.

use covey_shared::ids::UserId;

use super::*;
use crate::feed::testing::{MINUTE, ago, core, l1, post, query};

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
    close(l1().score(&query, &near), 2.5);
}

#[test]
fn a_negative_weight_never_makes_a_negative_score() {
    let mut l1 = l1();
    l1.weights.recency = -3.0;
    let mut fresh = post(2, 1);
    fresh.core.created_at = ago(0);
    close(l1.score(&query(), &fresh), 0.0);
}

#[test]
fn a_distance_becomes_a_similarity() {
    let l1 = L1 {
        metric: Metric::L2,
        ..l1()
    };
    let mut far = FeedCandidate::found(core(2, 1), Channel::OutOfNetwork, 1);
    far.channels[0].score = -3.0;
    close(l1.similarity(&far), 0.25);
    far.channels[0].score = f32::NEG_INFINITY;
    close(l1.similarity(&far), 0.0);
}

#[test]
fn a_score_is_computed_once() {
    let mut found = post(2, 1);
    found.core.created_at = ago(0);
    close(l1().of(&query(), &mut found), 1.0);
    found.core.created_at = ago(1000 * MINUTE);
    close(l1().of(&query(), &mut found), 1.0);
    assert!(l1().score(&query(), &found) < 0.5);
}
