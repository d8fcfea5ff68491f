//! Tests of retweet dedup.

use super::RetweetDedup;
use crate::feed::testing::{keep_or, key, post, query, repost, verdicts};

#[test]
fn the_original_stays_wherever_it_stands() {
    let mut posts = vec![repost(3, 20, key(2, 10)), post(2, 10), repost(4, 21, key(2, 10))];
    assert_eq!(
        verdicts(&RetweetDedup, &query(), &mut posts),
        keep_or(&["other_version", "", "other_version"])
    );
}

#[test]
fn without_it_the_first_in_network_repost_stays() {
    let mut posts: Vec<_> = (20..23).map(|id| repost(id, id, key(2, 10))).collect();
    posts[1].in_network = Some(true);
    posts[2].in_network = Some(true);
    assert_eq!(
        verdicts(&RetweetDedup, &query(), &mut posts),
        keep_or(&["other_version", "", "other_version"])
    );
}

#[test]
fn without_one_the_first_repost_stays() {
    let mut posts = vec![
        repost(3, 20, key(2, 10)),
        repost(4, 21, key(2, 10)),
        repost(4, 22, key(2, 11)),
        post(5, 30),
    ];
    assert_eq!(
        verdicts(&RetweetDedup, &query(), &mut posts),
        keep_or(&["", "other_version", "", ""])
    );
}
