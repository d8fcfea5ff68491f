//! Tests of l1 cut.

use super::*;
use crate::feed::testing::{MINUTE, ago, core, l1, post, query, verdicts};

fn rule() -> L1Cut {
    L1Cut {
        l1: l1(),
        most: 10,
        min_share: 0.2,
    }
}

#[test]
fn each_channel_keeps_its_share_and_the_rest_goes_by_score() {
    let mut posts: Vec<_> = (0..12)
        .map(|i| FeedCandidate::found(core(i + 2, i + 1), Channel::Popular, 1))
        .collect();
    let oldest = |i: u64| FeedCandidate::found(core(50 + i, 100 + i), Channel::New, 1);
    posts.extend((0..3).map(oldest));
    for post in &mut posts[12..] {
        post.core.created_at = ago(1000 * MINUTE);
    }
    let said = verdicts(&rule(), &query(), &mut posts);
    let kept: Vec<_> = (0..15).filter(|i| said[*i] == Verdict::Keep).collect();
    // Two of ten are New's share; of posts with equal scores the lower ids stay.
    assert_eq!(kept, [0, 1, 2, 3, 4, 5, 6, 7, 12, 13]);
    assert_eq!(said[14], Verdict::Remove("below_the_cut"));
}

#[test]
fn nothing_is_cut_when_all_fit() {
    let mut posts: Vec<_> = (0..10).map(|i| post(i + 2, i + 1)).collect();
    assert!(
        verdicts(&rule(), &query(), &mut posts)
            .iter()
            .all(|said| *said == Verdict::Keep)
    );
}

#[test]
fn shares_that_add_up_to_more_than_all_are_cut_off() {
    let rule = L1Cut {
        min_share: 0.25,
        most: 3,
        ..rule()
    };
    let mut posts: Vec<_> = (0..8).map(|i| post(i + 2, i + 1)).collect();
    let said = verdicts(&rule, &query(), &mut posts);
    assert_eq!(said.iter().filter(|said| **said == Verdict::Keep).count(), 3);
}

#[test]
fn a_resumed_page_keeps_the_scores_it_has() {
    let resumed = FeedQuery {
        resumed: true,
        ..query()
    };
    assert!(!rule().enable(&resumed));
}
