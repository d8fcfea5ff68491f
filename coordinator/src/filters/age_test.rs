//! Tests of age.

use covey_pipeline::Filter;

use super::Age;
use crate::feed::query::FeedQuery;
use crate::feed::testing::{MINUTE, ago, keep_or, post, query, verdicts};

const DAY: u64 = 24 * 60 * MINUTE;

#[test]
fn the_limit_itself_is_young_enough() {
    let mut posts = vec![post(2, 1), post(2, 2), post(2, 3)];
    posts[1].core.created_at = ago(2 * DAY);
    posts[2].core.created_at = ago(2 * DAY + 1);
    assert_eq!(verdicts(&Age, &query(), &mut posts), keep_or(&["", "", "too_old"]));
}

#[test]
fn it_is_off_without_a_limit() {
    let all_ages = FeedQuery {
        oldest: None,
        ..query()
    };
    assert!(!Age.enable(&all_ages));
    assert!(Age.enable(&query()));
}
