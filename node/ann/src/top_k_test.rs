//! Tests of the bounded heap.

use super::*;
use crate::conformance::Noise;

#[test]
fn keeps_the_same_as_a_full_sort() {
    for seed in 0..50 {
        let mut noise = Noise::new(seed);
        // Few distinct scores, so that ties are common.
        let all: Vec<(f32, u64)> = (0..100).map(|id| ((noise.uniform() * 4.0).round(), id)).collect();
        let mut top = TopK::new(7);
        for &(score, id) in &all {
            top.push(score, id, ());
        }
        let mut sorted = all.clone();
        sorted.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let expected: Vec<u64> = sorted.iter().take(7).map(|x| x.1).collect();
        let got: Vec<u64> = top.into_sorted().iter().map(|x| x.id).collect();
        assert_eq!(got, expected, "seed {seed}");
    }
}

#[test]
fn threshold_tells_what_still_gets_in() {
    let mut top = TopK::new(2);
    assert_eq!(top.threshold(), f32::NEG_INFINITY);
    top.push(1.0, 1, ());
    top.push(3.0, 2, ());
    assert_eq!((top.threshold(), top.len()), (1.0, 2));
    top.push(2.0, 3, ());
    assert_eq!(top.threshold(), 2.0);
}

#[test]
fn zero_places_keep_nothing() {
    let mut top = TopK::new(0);
    top.push(1.0, 1, ());
    assert!(top.is_empty());
    assert_eq!(top.threshold(), f32::INFINITY);
}
