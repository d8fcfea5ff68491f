//! The jsonl form.

use super::*;

#[test]
fn a_line_is_one_record_and_survives_the_round_trip() {
    let lines = [
        r#"{"user":{"user_id":"7","profile":{"screen_name":"ada"},"edges":[{"kind":"EDGE_KIND_FOLLOW","target_id":"8"}]}}"#,
        r#"{"post":{"post_id":"1","author_id":"7","text":"hello","created_at_ms":"1750000000000"}}"#,
        r#"{"action":{"viewer_id":"8","kind":"ACTION_KIND_FAVORITE","post_id":"1","author_id":"7"}}"#,
    ];
    for line in lines {
        assert_eq!(Record::from_json(line).unwrap().to_json(), line);
    }
}

#[test]
fn what_is_no_record_is_an_error_that_says_why() {
    let error = |line: &str| Record::from_json(line).unwrap_err().to_string();
    assert!(error(r#"{"post":{"txet":"x"}}"#).contains("txet"));
    assert!(error(r#"{"pots":{}}"#).contains("pots"));
    assert!(error("{}").contains("exactly one"));
    assert!(error(r#"{"post":{},"user":{}}"#).contains("exactly one"));
    assert!(error("nonsense").contains("line 1"));
}

#[test]
fn shifting_moves_times_and_leaves_unknown_ones_alone() {
    let mut post = Record::from_json(r#"{"post":{"post_id":1,"author_id":7,"created_at_ms":1000}}"#).unwrap();
    post.shift(-400);
    assert_eq!(post.time_ms(), Some(600));
    let mut now = Record::from_json(r#"{"post":{"post_id":1,"author_id":7}}"#).unwrap();
    now.shift(5);
    assert_eq!(now.time_ms(), None);
}
