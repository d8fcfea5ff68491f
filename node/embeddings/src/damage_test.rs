//! A search that meets what the disk cannot read goes on without it, and says so.

use covey_ann::Metric;
use covey_env::OpenMode;

use crate::SearchRequest;
use crate::fixture::{Fixture, env, posts_and_scores, small_options};

/// Rows of 128 bytes: 32 on a page.
const DIM: usize = 64;

/// Two sealed segments of 64 rows, of which the first has lost its second page: posts 33 to 64.
fn half_lost(metric: Metric) -> Fixture {
    let mut options = small_options();
    options.merge_factor = 4;
    let mut fixture = Fixture::new(DIM, metric, options);
    (1..=129).for_each(|post| fixture.put(post, 1));
    fixture.settle();
    let rows = env()
        .disk
        .open(&fixture.file("000000/rows.emb"), OpenMode::ReadWrite)
        .unwrap();
    rows.set_len(4096 + 4096).unwrap();
    fixture
}

#[test]
fn a_search_outlives_a_page_that_cannot_be_read_and_counts_it() {
    for metric in [Metric::InnerProduct, Metric::Cosine, Metric::L2] {
        let mut fixture = half_lost(metric);
        let vector = fixture.source.vector();
        for exact in [true, false] {
            let request = SearchRequest {
                exact,
                ..SearchRequest::nearest(129)
            };
            let outcome = fixture.search(&vector, &request);
            assert!(outcome.damaged >= 1, "{metric:?}: {outcome:?}");
            assert!(!outcome.partial, "it looked at everything that there is");
            let lost = |post| (33..=64).contains(&post);
            let sound = fixture.truth(&vector, 129, |meta| !lost(meta.post.0));
            assert_eq!(posts_and_scores(&outcome), sound, "{metric:?}");
        }
        let status = fixture.partition().reader().status();
        assert_eq!(status.faulted_pages, 1, "{metric:?}");
    }
}

#[test]
fn zeros_do_not_take_the_places_of_sound_hits() {
    for metric in [Metric::InnerProduct, Metric::L2] {
        let mut fixture = half_lost(metric);
        let vector = fixture.source.vector();
        let sound = fixture.truth(&vector, 90, |meta| !(33..=64).contains(&meta.post.0));
        for exact in [true, false] {
            let request = SearchRequest {
                exact,
                ..SearchRequest::nearest(90)
            };
            assert_eq!(
                posts_and_scores(&fixture.search(&vector, &request)),
                sound,
                "{metric:?}"
            );
        }
    }
}

#[test]
fn every_later_search_says_that_a_page_is_lost() {
    let mut fixture = half_lost(Metric::InnerProduct);
    for _ in 0..3 {
        let vector = fixture.source.vector();
        let found = fixture.search(&vector, &SearchRequest::nearest(3));
        assert!(
            found.damaged >= 1,
            "zeros score low, but nobody knows what they would have scored"
        );
    }
}

#[test]
fn a_merge_refuses_a_lost_page_and_keeps_what_there_is() {
    let mut fixture = half_lost(Metric::InnerProduct);
    (130..=257).for_each(|post| fixture.put(post, 1));
    let maintainer = fixture.partition().maintainer();
    let refused = (0..5).find_map(|_| maintainer.step().err());
    assert!(
        matches!(refused, Some(crate::PartitionError::Damaged { .. })),
        "{refused:?}"
    );
    let vector = fixture.source.vector();
    let sound = fixture.truth(&vector, 10, |meta| !(33..=64).contains(&meta.post.0));
    let outcome = fixture.search(&vector, &SearchRequest::nearest(10));
    assert_eq!(posts_and_scores(&outcome), sound);
}
