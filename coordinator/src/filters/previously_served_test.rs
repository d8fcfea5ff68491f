//! Tests of previously served.

use covey_shared::ids::PostId;

use super::PreviouslyServed;
use crate::feed::testing::{keep_or, key, post, query, repost, verdicts};

#[test]
fn served_in_this_session_or_lately() {
    let mut query = query();
    query.known.cursor.insert(PostId(10));
    query.known.served.insert(PostId(11));
    query.impressions.served.insert(PostId(12));
    let mut posts = vec![post(2, 10), post(2, 11), post(2, 12), post(2, 13)];
    let expected = keep_or(&["cursor", "served_ids", "served_lately", ""]);
    assert_eq!(verdicts(&PreviouslyServed, &query, &mut posts), expected);
}

#[test]
fn having_been_served_the_original_counts() {
    let mut query = query();
    query.known.cursor.insert(PostId(10));
    let mut reply = post(3, 21);
    reply.core.reply_to = key(2, 10);
    let mut posts = vec![repost(3, 20, key(2, 10)), reply];
    assert_eq!(
        verdicts(&PreviouslyServed, &query, &mut posts),
        keep_or(&["cursor", "cursor"])
    );
}
