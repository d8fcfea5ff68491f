//! Tests of the search over a view.

use std::cell::Cell;

use covey_ann::{IndexSpec, Metric};
use covey_shared::slots::{SLOTS, SlotRange};

use super::*;
use crate::Step;
use crate::fixture::{Fixture, posts_and_scores, small_options};
use crate::row::RowMeta;
use crate::space::PartitionOptions;

/// Four sealed segments with a faiss index, and a tail of a fifth of the rows.
fn indexed(metric: Metric, rows: u64) -> Fixture {
    let sealed = rows as usize / 5;
    let options = PartitionOptions {
        seal_rows: sealed,
        min_train_rows: 1000,
        ..PartitionOptions::default()
    };
    let mut fixture = Fixture::new(64, metric, options);
    for post in 1..=rows {
        fixture.put(post, 1);
    }
    let steps = fixture.settle();
    assert_eq!(steps, [Step::Sealed { rows: sealed }; 4]);
    let status = fixture.partition().reader().status();
    assert_eq!((status.ivf_rows, status.unsealed_rows), (rows - rows / 5, rows / 5));
    fixture
}

#[test]
fn recall_is_reached_after_sealing_and_deletes_and_filters_are_honoured() {
    for (metric, rows) in [
        (Metric::InnerProduct, 5000),
        (Metric::Cosine, 20_000),
        (Metric::L2, 5000),
    ] {
        let mut fixture = indexed(metric, rows);
        let nearest = SearchRequest::nearest(10);
        let recall = fixture.recall(50, &nearest);
        assert!(recall >= 0.95, "{metric:?}: recall@10 {recall}");
        fixture.check_exact(25);
        for post in (1..=rows).filter(|post| post % 3 == 0) {
            fixture.delete(post);
        }
        let recall = fixture.recall(30, &nearest);
        assert!(recall >= 0.95, "{metric:?} with a third deleted: recall@10 {recall}");
        fixture.check_exact(25);
        // Most rows, a tenth, and one in a hundred of the rows pass: over-fetch, bitmap, scan.
        for limit in [80, 10, 1] {
            let keep = |meta: &RowMeta| meta.tag < limit;
            let recall = fixture.recall(
                30,
                &SearchRequest {
                    keep: Some(&keep),
                    ..SearchRequest::nearest(10)
                },
            );
            assert!(recall >= 0.95, "{metric:?} filtered to {limit} %: recall@10 {recall}");
        }
        let recall = fixture.recall(20, &SearchRequest::nearest(100));
        assert!(recall >= 0.93, "{metric:?}: recall@100 {recall}");
    }
}

#[test]
fn nothing_that_a_filter_refuses_comes_back() {
    let mut fixture = indexed(Metric::Cosine, 5000);
    let slots = SlotRange {
        start: 0,
        end: SLOTS / 4,
    };
    for exact in [true, false] {
        for limit in [90, 20, 1, 0] {
            let keep = |meta: &RowMeta| meta.tag < limit;
            let vector = fixture.source.vector();
            let request = SearchRequest {
                exact,
                keep: Some(&keep),
                slots: Some(slots),
                ..SearchRequest::nearest(50)
            };
            let outcome = fixture.search(&vector, &request);
            assert!(
                outcome
                    .hits
                    .iter()
                    .all(|hit| hit.meta.tag < limit && slots.contains(hit.meta.slot))
            );
            let truth = fixture.truth(&vector, 50, |meta| keep(meta) && slots.contains(meta.slot));
            assert_eq!(outcome.hits.len(), truth.len(), "exact {exact}, limit {limit}");
            if exact {
                assert_eq!(posts_and_scores(&outcome), truth);
            }
        }
    }
}

#[test]
fn a_filter_that_refuses_what_is_near_gets_all_its_hits_once() {
    let mut fixture = indexed(Metric::Cosine, 20_000);
    for turn in 0..60 {
        let vector = fixture.source.vector();
        let nearest = fixture.truth(&vector, 20_000, |_| true);
        // Many pass, so that the index is asked again, or so few that they are scanned.
        let passing = [20_000, 3_000][turn % 2];
        let far = nearest.iter().skip(30 * turn).take(passing);
        let far: HashSet<u64> = far.map(|(post, _)| *post).collect();
        let keep = |meta: &RowMeta| far.contains(&meta.post.0);
        let request = SearchRequest {
            keep: Some(&keep),
            ..SearchRequest::nearest(10)
        };
        let hits = fixture.search(&vector, &request).hits;
        let posts: HashSet<u64> = hits.iter().map(|hit| hit.meta.post.0).collect();
        assert_eq!(
            (hits.len(), posts.len()),
            (10, 10),
            "the nearest {} are refused",
            30 * turn
        );
    }
}

#[test]
fn a_poor_graph_is_searched_as_hard_as_was_measured() {
    let options = PartitionOptions {
        index: IndexSpec::parse("HNSW3", Metric::Cosine, 64).unwrap(),
        seal_rows: 8000,
        min_train_rows: 1000,
        ..PartitionOptions::default()
    };
    let mut fixture = Fixture::new(64, Metric::Cosine, options);
    (1..=8001).for_each(|post| fixture.put(post, 1));
    fixture.settle();
    let recall = fixture.recall(
        50,
        &SearchRequest {
            recall_target: Some(0.95),
            ..SearchRequest::nearest(10)
        },
    );
    assert!(recall >= 0.93, "recall@10 {recall}");
}

#[test]
fn a_cancelled_search_answers_with_what_it_has() {
    let mut fixture = indexed(Metric::Cosine, 5000);
    let vector = fixture.source.vector();
    for exact in [true, false] {
        let mut last = 0;
        for looks in 0..20_u32 {
            let left = Cell::new(looks);
            let cancelled = || left.replace(left.get().saturating_sub(1)) == 0;
            let request = SearchRequest {
                exact,
                cancelled: &cancelled,
                ..SearchRequest::nearest(10)
            };
            let outcome = fixture.search(&vector, &request);
            assert_eq!(outcome.segments, 5);
            assert_eq!(
                outcome.partial,
                outcome.segments_searched < 5,
                "exact {exact}, looks {looks}"
            );
            assert!(outcome.segments_searched >= last, "more time, more segments");
            last = outcome.segments_searched;
        }
        assert_eq!(last, 5);
    }
}

#[test]
fn equal_scores_come_in_order_of_post_ids() {
    let mut fixture = Fixture::new(8, Metric::L2, small_options());
    let vector = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5];
    for post in [900, 3, 77, 500, 1, 42] {
        fixture.put_vector(post, 1, &vector);
        fixture.partition().seal();
    }
    fixture.settle();
    for exact in [true, false] {
        let outcome = fixture.search(
            &vector,
            &SearchRequest {
                exact,
                ..SearchRequest::nearest(4)
            },
        );
        let posts: Vec<u64> = outcome.hits.iter().map(|hit| hit.meta.post.0).collect();
        assert_eq!(posts, [1, 3, 42, 77]);
        assert!(outcome.hits.iter().all(|hit| hit.score.get() == 0.0));
    }
}

#[test]
fn bad_queries_are_refused() {
    let mut fixture = Fixture::new(8, Metric::Cosine, small_options());
    let view = fixture.partition().reader().view();
    let refuse = |vector: &[f32], k| view.search(vector, &SearchRequest::nearest(k)).unwrap_err();
    assert!(matches!(
        refuse(&[1.0; 9], 5),
        AnnError::WrongDimension { expected: 8, got: 9 }
    ));
    assert!(matches!(refuse(&[1.0; 8], 0), AnnError::BadK { .. }));
    assert!(matches!(refuse(&[0.0; 8], 5), AnnError::ZeroVector));
    assert!(matches!(refuse(&[f32::NAN; 8], 5), AnnError::NotFinite { .. }));
    assert_eq!(view.search(&[1.0; 8], &SearchRequest::nearest(5)).unwrap().hits, []);
}
