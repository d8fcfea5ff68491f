//! The formula on lists that can be computed by hand.

use super::*;

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

#[test]
fn lower_places_count_less() {
    // 3 / log2(2) + 2 / log2(3) + 1 / log2(4).
    assert!(near(dcg([3.0, 2.0, 1.0]), 3.0 + 2.0 / 3.0_f64.log2() + 0.5));
    assert!(near(dcg([]), 0.0));
}

#[test]
fn the_best_list_has_one() {
    let best = [3.0, 2.0];
    assert!(near(ndcg(&[3.0, 2.0], &best, 2).unwrap(), 1.0));
    assert!(
        near(ndcg(&[3.0, 2.0, 9.0], &best, 2).unwrap(), 1.0),
        "places behind the last do not count"
    );
    let swapped = (2.0 + 3.0 / 3.0_f64.log2()) / (3.0 + 2.0 / 3.0_f64.log2());
    assert!(near(ndcg(&[2.0, 3.0], &best, 2).unwrap(), swapped));
    let short = 3.0 / (3.0 + 2.0 / 3.0_f64.log2());
    assert!(
        near(ndcg(&[3.0], &best, 2).unwrap(), short),
        "a missing post has no gain"
    );
}

#[test]
fn places_count_where_there_are_fewer_posts_with_a_gain_than_places() {
    assert!(near(ndcg(&[0.0, 0.0, 4.0], &[4.0], 3).unwrap(), 0.5));
}

#[test]
fn where_nothing_can_be_gained_nothing_is_judged() {
    assert_eq!(ndcg(&[0.0], &[0.0, 0.0], 2), None);
    assert_eq!(ndcg(&[], &[], 2), None);
}

#[test]
fn means_know_their_error() {
    let mean = Mean::of(&[1.0, 2.0, 3.0, 4.0]);
    // The sample's variance is 5 / 3.
    assert!(near(mean.mean, 2.5) && near(mean.se, (5.0 / 3.0 / 4.0_f64).sqrt()));
    assert!(near(mean.in_errors(), 2.5 / (5.0 / 12.0_f64).sqrt()));
    assert_eq!(Mean::of(&[]), Mean::default());
    assert_eq!(Mean::of(&[7.0]), Mean { mean: 7.0, se: 0.0 });
}
