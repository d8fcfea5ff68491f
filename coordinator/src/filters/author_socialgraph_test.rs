//! Tests of author socialgraph.

use covey_pipeline::{Filter, Verdict};
use covey_shared::ids::UserId;

use super::AuthorSocialgraph;
use crate::feed::query::{FeedQuery, UserFeatures};
use crate::feed::testing::{core, keep_or, key, post, query, repost, verdicts};

fn viewer() -> FeedQuery {
    let features = UserFeatures {
        blocks: vec![UserId(8)],
        mutes: vec![UserId(9)],
        ..UserFeatures::default()
    };
    FeedQuery {
        features: Some(features),
        ..query()
    }
}

#[test]
fn blocked_and_muted_users_are_not_seen() {
    let mut posts = vec![post(8, 1), post(9, 2), post(2, 3)];
    assert_eq!(
        verdicts(&AuthorSocialgraph, &viewer(), &mut posts),
        keep_or(&["blocked_author", "muted_author", ""])
    );
}

#[test]
fn nor_what_others_repeat_or_quote_of_them() {
    let mut quote = post(2, 2);
    quote.core.quote_of = key(9, 20);
    // Known only from the repeated post.
    let mut indirect = repost(2, 3, key(2, 11));
    let mut source = core(2, 11);
    source.quote_of = key(8, 21);
    indirect.source = source.into();
    let mut posts = vec![repost(2, 1, key(8, 10)), quote, indirect];
    assert_eq!(
        verdicts(&AuthorSocialgraph, &viewer(), &mut posts),
        keep_or(&["blocked_author", "muted_author", "blocked_author"])
    );
}

#[test]
fn without_the_lists_nothing_is_judged_and_the_filter_is_required() {
    let query = FeedQuery {
        features: None,
        ..query()
    };
    assert_eq!(
        verdicts(&AuthorSocialgraph, &query, &mut [post(2, 1)]),
        [Verdict::Unjudged("lists_unknown")]
    );
    assert!(AuthorSocialgraph.required());
}
