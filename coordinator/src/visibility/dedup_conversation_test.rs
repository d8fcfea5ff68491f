//! Tests of dedup conversation.

use covey_shared::ids::PostId;

use super::DedupConversation;
use crate::feed::testing::{keep_or, key, post, query, verdicts};

#[test]
fn the_highest_post_of_a_conversation_stays() {
    let mut reply = post(3, 11);
    reply.core.reply_to = key(2, 10);
    let mut deep = post(4, 12);
    deep.core.reply_to = key(3, 11);
    deep.core.conversation = PostId(10);
    let mut posts = vec![reply, post(5, 20), post(2, 10), deep];
    assert_eq!(
        verdicts(&DedupConversation, &query(), &mut posts),
        keep_or(&["", "", "conversation", "conversation"])
    );
}
