//! What counts as missing.

use covey_api::v1::GetPostResult;

use super::*;

#[test]
fn what_no_shard_has_and_what_nobody_could_look_for_is_asked_for_again() {
    let result = |status: GetStatus| GetPostResult {
        status: status.into(),
        ..GetPostResult::default()
    };
    let reply = GetPostsReply {
        results: vec![
            result(GetStatus::Found),
            result(GetStatus::NotFound),
            result(GetStatus::Unavailable),
        ],
        ..GetPostsReply::default()
    };
    let key = |post_id| PostKey { author_id: 7, post_id };
    let keys: Vec<PostKey> = (1..=4).map(key).collect();
    let mut missing = Vec::new();
    // The reply says nothing of the fourth.
    assert_eq!(sort(&reply, &keys, &mut missing), 2);
    assert_eq!(missing, keys[1..]);
}
