//! The JSON form of the messages is part of the contract with clients.

use crate::v1::{GetFeedRequest, Post, PutPostsRequest, SearchRequest, WriteReply};

#[test]
fn ids_are_accepted_as_number_or_string() {
    let number: Post = serde_json::from_str(r#"{"post_id": 7, "author_id": "18446744073709551615"}"#).unwrap();
    assert_eq!((number.post_id, number.author_id), (7, u64::MAX));
}

#[test]
fn ids_are_written_as_strings_so_that_no_client_rounds_them() {
    let post = Post {
        post_id: u64::MAX,
        ..Post::default()
    };
    assert_eq!(
        serde_json::to_string(&post).unwrap(),
        r#"{"post_id":"18446744073709551615"}"#
    );
}

#[test]
fn unknown_field_is_an_error_that_names_it() {
    let error = serde_json::from_str::<PutPostsRequest>(r#"{"posts": [{"txet": "typo"}]}"#).unwrap_err();
    assert!(error.to_string().contains("txet"), "{error}");
    assert!(error.to_string().contains("text"), "{error}");
}

#[test]
fn field_names_are_accepted_in_snake_and_in_camel_case() {
    let snake: GetFeedRequest = serde_json::from_str(r#"{"viewer_id": 1, "seen_ids": [2]}"#).unwrap();
    let camel: GetFeedRequest = serde_json::from_str(r#"{"viewerId": 1, "seenIds": ["2"]}"#).unwrap();
    assert_eq!(snake, camel);
}

#[test]
fn wrong_type_and_number_out_of_range_are_errors() {
    for bad in [
        r#"{"k": -1}"#,
        r#"{"k": 4294967296}"#,
        r#"{"k": "many"}"#,
        r#"{"vector": "x"}"#,
        r#"{"vector": [1, null]}"#,
        r#"[]"#,
        r#"{"k": 1"#,
    ] {
        assert!(serde_json::from_str::<SearchRequest>(bad).is_err(), "{bad}");
    }
}

#[test]
fn reply_survives_json() {
    let reply: WriteReply = serde_json::from_str(
        r#"{"results": [{"index": 1, "status": "ITEM_STATUS_INVALID", "message": "no"}], "failed": 1}"#,
    )
    .unwrap();
    let again: WriteReply = serde_json::from_str(&serde_json::to_string(&reply).unwrap()).unwrap();
    assert_eq!(reply, again);
    assert_eq!(reply.results[0].index, 1);
}

#[test]
fn every_field_message_and_method_is_documented() {
    let mut documented = true;
    for line in include_str!("../proto/covey.proto")
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
    {
        let declares = line.ends_with(';') && !line.starts_with("syntax") && !line.starts_with("package")
            || line.ends_with('{')
            || line.ends_with("{}");
        assert!(
            !declares || line.starts_with("//") || documented,
            "not documented: {line}"
        );
        documented = line.starts_with("//");
    }
}
