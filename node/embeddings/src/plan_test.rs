//! Tests of the merge plan.

use super::*;

fn options() -> PartitionOptions {
    PartitionOptions {
        seal_rows: 100,
        merge_factor: 4,
        max_segment_rows: 5000,
        ..PartitionOptions::default()
    }
}

fn plan(live: &[usize]) -> Option<Range<usize>> {
    let sizes: Vec<Size> = live.iter().map(|&live| Size { rows: live, live }).collect();
    next_merge(&sizes, &options())
}

#[test]
fn a_tier_merges_when_it_is_full() {
    assert_eq!(plan(&[]), None);
    assert_eq!(plan(&[100, 100, 100]), None);
    assert_eq!(plan(&[100, 100, 100, 100]), Some(0..4));
    assert_eq!(plan(&[400, 100, 100, 100]), None);
    assert_eq!(plan(&[400, 100, 100, 100, 100]), Some(1..5));
    assert_eq!(plan(&[400, 400, 400, 100, 100]), None);
    assert_eq!(
        plan(&[400, 400, 100, 400, 400]),
        Some(0..5),
        "a smaller one between goes along"
    );
}

#[test]
fn only_neighbours_merge_so_that_rows_stay_in_order_of_time() {
    assert_eq!(plan(&[100, 100, 400, 100, 100]), None);
}

#[test]
fn nothing_grows_beyond_the_largest_segment() {
    assert_eq!(plan(&[2600, 2600, 2600, 2600]), None, "two of these would not fit");
    assert_eq!(plan(&[2000, 2000, 2000, 2000]), Some(0..2));
}

#[test]
fn a_mostly_dead_segment_is_rewritten_alone() {
    let sizes = [
        Size { rows: 5000, live: 4000 },
        Size { rows: 5000, live: 2000 },
        Size { rows: 100, live: 0 },
    ];
    assert_eq!(next_merge(&sizes, &options()), Some(1..2));
}

#[test]
fn any_stream_of_seals_settles_with_few_segments() {
    let mut live: Vec<usize> = Vec::new();
    for seal in 0..1000 {
        live.push(100 - seal % 7);
        let mut merges = 0;
        while let Some(range) = plan(&live) {
            let total: usize = live[range.clone()].iter().sum();
            assert!(total <= 5000 && range.len() >= 2);
            live.splice(range, [total]);
            merges += 1;
            assert!(merges < 10, "it does not settle");
        }
    }
    assert!(live.len() <= 50, "{} segments", live.len());
}
