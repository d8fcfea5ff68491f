//! Completeness and timings in words.

use covey_api::v1::Degraded;

use super::*;

#[test]
fn an_incomplete_answer_says_so() {
    let answer = Answer {
        coverage: 0.875,
        missing_shards: vec![3],
        degraded: vec![Degraded {
            component: "Popular".into(),
            reason: "out of time".into(),
        }],
        ..Answer::default()
    };
    let text = honesty(&answer, Style::plain());
    assert!(
        text.contains("incomplete answer: 87.5 %") && text.contains("shard 3"),
        "{text}"
    );
    assert!(text.contains("degraded: Popular: out of time"), "{text}");
}

#[test]
fn an_age_that_nobody_can_tell_is_no_number() {
    let answer = Answer {
        staleness_ms: u32::MAX,
        ..Answer::default()
    };
    let text = honesty(&answer, Style::plain());
    assert!(text.contains("of unknown age") && !text.contains("ms stale"), "{text}");
}

#[test]
fn stages_are_listed_longest_first() {
    let timings_ms = [("a".to_owned(), 1.0), ("b".to_owned(), 6.06)].into();
    let answer = Answer {
        timings_ms,
        ..Answer::default()
    };
    assert_eq!(timings(&answer, Style::plain()), "time: b 6.1 ms · a 1.0 ms\n");
}
