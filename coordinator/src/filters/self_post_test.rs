//! Tests of self post.

use super::SelfPost;
use crate::feed::testing::{VIEWER, keep_or, key, post, query, repost, verdicts};

#[test]
fn own_posts_go_and_reposts_of_them_by_others_stay() {
    let mut posts = vec![
        post(VIEWER.0, 1),
        post(2, 2),
        repost(2, 3, key(VIEWER.0, 1)),
        repost(VIEWER.0, 4, key(2, 2)),
    ];
    assert_eq!(
        verdicts(&SelfPost, &query(), &mut posts),
        keep_or(&["own_post", "", "", "own_post"])
    );
}
