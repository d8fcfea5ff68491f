//! A search that meets what the disk cannot read goes on without it, and says so.

use covey_ann::Metric;
use covey_env::OpenMode;

use crate::SearchRequest;
use crate::fixture::{Fixture, env, posts_and_scores, small_options};

/// Rows of 128 bytes: 32 on a page.
const DIM: usize = 64;

/// Two sealed segments of 64 rows, of which the first has lost its second page: posts 33 to 64.
fn half_lost(metric: Metric) -> Fixture {
    let fixture = sealed(metric);
    lose_half(&fixture);
    fixture
}

fn sealed(metric: Metric) -> Fixture {
    let mut options = small_options();
    options.merge_factor = 4;
    let mut fixture = Fixture::new(DIM, metric, options);
    (1..=129).for_each(|post| fixture.put(post, 1));
    fixture.settle();
    fixture
}

fn lose_half(fixture: &Fixture) {
    let rows = env()
        .disk
        .open(&fixture.file("000000/rows.emb"), OpenMode::ReadWrite)
        .unwrap();
    rows.set_len(4096 + 4096).unwrap();
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

fn scrubbed(fixture: &mut Fixture) -> Vec<crate::DamagedRow> {
    let mut scrub = fixture.partition().reader().scrub();
    while scrub.step().is_some() {}
    scrub.take_damaged()
}

#[test]
fn a_lost_page_calls_for_a_scrub_once() {
    let mut fixture = half_lost(Metric::InnerProduct);
    let reader = fixture.partition().reader();
    assert_eq!((reader.lost_pages(), reader.damaged_rows()), (0, 0));
    let vector = fixture.source.vector();
    for _ in 0..3 {
        fixture.search(&vector, &SearchRequest::nearest(3));
        assert_eq!((reader.lost_pages(), reader.damaged_rows()), (1, 0));
    }
    assert_eq!(scrubbed(&mut fixture).len(), 32);
}

#[test]
fn what_the_disk_gives_again_is_mapped_anew_without_a_peer() {
    let mut fixture = sealed(Metric::InnerProduct);
    let (disk, path) = (env().disk, fixture.file("000000/rows.emb"));
    let whole = disk.read_file(&path, 1 << 20).unwrap();
    lose_half(&fixture);
    let vector = fixture.source.vector();
    fixture.search(&vector, &SearchRequest::nearest(129));
    assert_eq!(fixture.partition().reader().status().faulted_pages, 1);
    // It was only the way to the disk.
    disk.open(&path, OpenMode::ReadWrite)
        .unwrap()
        .write_at(&whole, 0)
        .unwrap();
    assert_eq!(scrubbed(&mut fixture), [], "the file is sound");
    assert_eq!(fixture.settle(), [crate::Step::Merged { segments: 1, rows: 64 }]);
    assert_eq!(fixture.partition().reader().status().faulted_pages, 0);
    fixture.check_exact(129);
}

#[test]
fn a_lost_page_without_live_rows_is_left_behind() {
    let mut fixture = half_lost(Metric::InnerProduct);
    let vector = fixture.source.vector();
    fixture.search(&vector, &SearchRequest::nearest(129));
    (33..=64).for_each(|post| fixture.delete(post));
    assert_eq!(scrubbed(&mut fixture), []);
    assert_eq!(fixture.settle(), [crate::Step::Merged { segments: 1, rows: 32 }]);
    assert_eq!(fixture.search(&vector, &SearchRequest::nearest(97)).damaged, 0);
}
