//! Tests of l1 cut.

use super::*;
use crate::feed::testing::{MINUTE, ago, core, l1, post, query, verdicts};

fn rule() -> L1Cut {
    L1Cut {
        l1: l1(),
        most: 20,
        min_share: 0.1,
    }
}

#[test]
fn each_channel_keeps_its_share_and_the_rest_goes_by_score() {
    let mut posts: Vec<_> = (0..22)
        .map(|i| FeedCandidate::found(core(i + 2, i + 1), Channel::Popular, 1))
        .collect();
    let oldest = |i: u64| FeedCandidate::found(core(50 + i, 100 + i), Channel::New, 1);
    posts.extend((0..3).map(oldest));
    for post in &mut posts[22..] {
        post.core.created_at = ago(1000 * MINUTE);
    }
    let said = verdicts(&rule(), &query(), &mut posts);
    let kept: Vec<_> = (0..25).filter(|i| said[*i] == Verdict::Keep).collect();
    // Two of twenty are New's share; of posts with equal scores the lower ids stay.
    let wanted: Vec<_> = (0..18).chain([22, 23]).collect();
    assert_eq!(kept, wanted);
    assert_eq!(said[24], Verdict::Remove("below_the_cut"));
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
fn no_share_is_more_than_an_equal_one() {
    let channels = Channel::ALL.len();
    let rule = L1Cut {
        min_share: 1.0,
        most: 2 * channels,
        ..rule()
    };
    let mut posts: Vec<_> = (0..40)
        .map(|i| FeedCandidate::found(core(i + 2, i + 1), Channel::ALL[0], 1))
        .collect();
    let oldest = |i: u64| FeedCandidate::found(core(50 + i, 100 + i), Channel::ALL[channels - 1], 1);
    posts.extend((0..9).map(oldest));
    for post in &mut posts[40..] {
        post.core.created_at = ago(1000 * MINUTE);
    }
    let said = verdicts(&rule, &query(), &mut posts);
    let kept = |said: &[Verdict]| said.iter().filter(|said| **said == Verdict::Keep).count();
    assert_eq!((kept(&said[..40]), kept(&said[40..])), (2 * channels - 2, 2));
}

#[test]
fn a_resumed_page_keeps_the_scores_it_has() {
    let resumed = FeedQuery {
        resumed: true,
        ..query()
    };
    assert!(!rule().enable(&resumed));
}
