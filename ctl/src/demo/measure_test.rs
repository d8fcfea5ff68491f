//! Quantiles, recall and trace ids.

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
