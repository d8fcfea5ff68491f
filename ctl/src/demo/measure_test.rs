//! Quantiles, recall and trace ids.

use covey_api::v1::Answer;

use super::*;

fn hits(scores: &[f32]) -> Vec<SearchHit> {
    let hit = |score: &f32| SearchHit {
        score: *score,
        ..SearchHit::default()
    };
    scores.iter().map(hit).collect()
}

#[test]
fn quantiles_are_values_that_occurred() {
    let mut values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
    assert_eq!((quantile(&mut values, 0.5), quantile(&mut values, 0.99)), (50.0, 99.0));
    assert_eq!(quantile(&mut [], 0.5), 0.0);
    assert_eq!(quantile(&mut [7.0], 0.99), 7.0);
}

#[test]
fn values_are_rounded_to_digits() {
    assert_eq!([0, 1, 2].map(|digits| rounded(1.2345, digits)), [1.0, 1.2, 1.23]);
}

#[test]
fn a_feed_is_whole_if_it_says_that_all_shards_answered() {
    let whole = |coverage: Option<f64>| {
        let answer = |coverage| Answer {
            coverage,
            ..Answer::default()
        };
        is_whole(&GetFeedReply {
            answer: coverage.map(answer),
            ..GetFeedReply::default()
        })
    };
    assert!(whole(Some(1.0)));
    assert!(!whole(Some(0.999)));
    assert!(!whole(None));
}

#[test]
fn equally_near_hits_count_as_found() {
    let exact = hits(&[0.9, 0.8, 0.8]);
    assert_eq!(found(&hits(&[0.9, 0.8, 0.8]), &exact), Some(1.0));
    assert_eq!(found(&hits(&[0.9, 0.8, 0.5]), &exact), Some(2.0 / 3.0));
    assert_eq!(found(&hits(&[]), &exact), Some(0.0));
    assert_eq!(found(&hits(&[0.9]), &[]), None);
}

#[test]
fn trace_ids_are_hexadecimal() {
    assert_eq!(trace_bytes("000102030405060708090a0b0c0d0e0f").map(|b| b[15]), Some(15));
    assert_eq!(trace_bytes("no trace"), None);
}
