//! Tests of near-duplicates.

use covey_pipeline::Verdict::{Keep, Remove};

use super::*;
use crate::feed::testing::{MINUTE, ago, core, key, l1, post, query, repost, verdicts};

const GONE: Verdict = Remove("near_duplicate");

fn rule() -> ContentDuplicate {
    ContentDuplicate { l1: l1() }
}

/// The younger, the better.
fn text(id: u64, simhash: u64, age: u64) -> FeedCandidate {
    let mut post = post(id + 100, id);
    post.core.simhash = simhash;
    post.core.created_at = ago(age * MINUTE);
    post
}

fn said(posts: &mut [FeedCandidate]) -> Vec<Verdict> {
    verdicts(&rule(), &query(), posts)
}

#[test]
fn of_texts_three_bits_apart_the_better_stays_and_four_bits_are_another_text() {
    let hash = 0x0123_4567_89ab_cdef;
    for bits in [0, 1, 1 << 63 | 1 << 16 | 1, 0b111, 1 << 20 | 1 << 40 | 1 << 60] {
        assert_eq!(
            said(&mut [text(1, hash, 9), text(2, hash ^ bits, 3)]),
            [GONE, Keep],
            "{bits:x}"
        );
        assert_eq!(
            said(&mut [text(1, hash, 3), text(2, hash ^ bits, 9)]),
            [Keep, GONE],
            "{bits:x}"
        );
    }
    for bits in [0b1111, 1 << 63 | 1 << 40 | 1 << 16 | 1] {
        assert_eq!(
            said(&mut [text(1, hash, 9), text(2, hash ^ bits, 3)]),
            [Keep, Keep],
            "{bits:x}"
        );
    }
}

#[test]
fn of_equally_good_texts_the_lower_id_stays_wherever_it_stands() {
    assert_eq!(
        said(&mut [text(7, 5, 1), text(3, 5, 1), text(5, 5, 1)]),
        [GONE, Keep, GONE]
    );
}

#[test]
fn texts_without_a_hash_are_never_the_same() {
    assert_eq!(said(&mut [text(1, 0, 1), text(2, 0, 2), text(3, 0b1, 3)]), [Keep; 3]);
}

#[test]
fn only_what_stays_counts_so_that_a_chain_does_not_remove_its_far_end() {
    // The second is near both others, which are six bits apart.
    let mut chain = [text(1, 0xff00, 1), text(2, 0xff07, 2), text(3, 0xff3f, 3)];
    assert_eq!(said(&mut chain), [Keep, GONE, Keep]);
}

#[test]
fn a_post_and_its_reposts_are_one_text_and_go_together() {
    let shared = |id: u64, of: u64, age: u64| {
        let mut post = repost(id + 100, id, key(of + 100, of));
        let mut source = core(of + 100, of);
        source.simhash = 0xabcd;
        post.source = source.into();
        post.core.created_at = ago(age * MINUTE);
        post
    };
    // Fresh reposts make the first text the better one, though its original is old.
    let mut posts = [
        text(1, 0xabcd, 500),
        shared(10, 1, 2),
        text(2, 0xabcc, 50),
        shared(11, 2, 60),
    ];
    assert_eq!(said(&mut posts), [Keep, Keep, GONE, GONE]);
    let mut unread = [repost(103, 3, key(101, 1)), text(1, 0xabcd, 1)];
    unread[0].core.simhash = 0xabcd;
    assert_eq!(
        said(&mut unread),
        [Keep, Keep],
        "what could not be read is not compared"
    );
}

#[test]
fn it_agrees_with_comparing_all_with_all() {
    let mut state = 1_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    for round in 0..200 {
        let hash =
            |next: &mut dyn FnMut() -> u64| (0..4).fold(0x5555_u64 << (next() % 3), |h, _| h ^ 1 << (next() % 64));
        let mut posts: Vec<FeedCandidate> = (1..=40).map(|id| text(id, hash(&mut next), id)).collect();
        let mut kept: Vec<u64> = Vec::new();
        let mut wanted = Vec::new();
        for post in &posts {
            let hash = post.core.simhash;
            let near = kept.iter().any(|other| (hash ^ other).count_ones() <= 3);
            wanted.push(if near { GONE } else { Keep });
            kept.extend((!near).then_some(hash));
        }
        assert_eq!(said(&mut posts), wanted, "round {round}");
    }
}

#[test]
fn the_scores_are_left_for_the_cut_and_a_resumed_page_is_not_compared_again() {
    let mut posts = [text(1, 5, 1)];
    said(&mut posts);
    assert_eq!(posts[0].l1, Some(l1().score(&query(), &text(1, 5, 1))));
    let resumed = FeedQuery {
        resumed: true,
        ..query()
    };
    assert!(!rule().enable(&resumed));
}
