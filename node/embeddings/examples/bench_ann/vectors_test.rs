//! Tests of the exact answers.

use super::*;

fn line(metric: Metric, numbers: impl Iterator<Item = u16>, query: f32) -> Vectors {
    let rows = numbers.map(|x| vec![f32::from(x), 1.0]);
    Vectors::new(metric, 2, rows, [vec![query, 1.0]].into_iter())
}

#[test]
fn scores_are_those_of_the_metric() {
    let l2 = line(Metric::L2, 0..5, 3.0);
    assert_eq!((l2.len(), l2.score(&l2.queries[0], 1)), (5, -4.0));
    let inner = line(Metric::InnerProduct, 0..5, 3.0);
    assert_eq!(inner.score(&inner.queries[0], 2), 7.0);
    let cosine = line(Metric::Cosine, 3..4, 3.0);
    assert!((cosine.score(&cosine.queries[0], 0) - 1.0).abs() < 1e-6);
}

#[test]
fn long_vectors_are_summed_whole() {
    let set = Vectors::new(
        Metric::InnerProduct,
        37,
        [vec![1.0; 37]].into_iter(),
        [vec![2.0; 37]].into_iter(),
    );
    assert_eq!(set.score(&set.queries[0], 0), 74.0);
}

#[test]
fn truth_knows_only_what_passes_and_ties_count() {
    let set = line(Metric::L2, (0..300).chain([10]), 10.0);
    let truth = set.nearest(&[&|_| true, &|row| row >= 20]);
    assert_eq!(truth[0].found(&set, 0, 1, &[300]), 1, "the twin is as near");
    assert_eq!(truth[0].found(&set, 0, 2, &[10, 300, 9]), 2);
    assert_eq!(truth[0].found(&set, 0, 4, &[10, 200]), 1);
    assert_eq!(truth[1].found(&set, 0, 2, &[300, 20]), 2);
    assert_eq!(truth[1].found(&set, 0, 2, &[]), 0);
}

#[test]
fn half_of_the_rows_are_deleted_and_a_twentieth_passes() {
    let count = |is: fn(u64) -> bool| (0..100_000).filter(|&row| is(tag(row))).count();
    assert!((49_000..51_000).contains(&count(is_deleted)));
    assert!((4_700..5_300).contains(&count(passes_filter)));
}
