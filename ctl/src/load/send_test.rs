//! What a reply leaves to be sent again.

use covey_api::v1::{Action, ItemResult, Post};

use super::*;

fn reply(statuses: &[ItemStatus]) -> WriteReply {
    let result = |(index, status): (usize, &ItemStatus)| ItemResult {
        index: index as u32,
        status: (*status).into(),
        message: "why".into(),
    };
    WriteReply {
        results: statuses.iter().enumerate().map(result).collect(),
        ..WriteReply::default()
    }
}

fn numbered<T: Default>(lines: &[u64]) -> Vec<Numbered<T>> {
    lines
        .iter()
        .map(|line| Numbered {
            line: *line,
            item: T::default(),
        })
        .collect()
}

#[test]
fn only_what_failed_for_now_is_sent_again() {
    let mut batch = Batch::posts(numbered::<Post>(&[10, 11, 12, 13, 14]));
    let mut delivered = Delivered::default();
    use ItemStatus::*;
    batch.settle(
        &reply(&[Ok, Invalid, Unavailable, Uncertain, Superseded]),
        &mut delivered,
    );
    assert_eq!(batch.lines, [12, 13]);
    assert_eq!(delivered.done, 2);
    assert_eq!(delivered.refused, [(11, "why".to_owned())]);
}

#[test]
fn actions_are_sent_again_as_a_whole_and_counted_once() {
    let mut batch = Batch::actions(numbered::<Action>(&[1, 2, 3]), 7, 9);
    let mut delivered = Delivered::default();
    use ItemStatus::*;
    batch.settle(&reply(&[Ok, Unavailable, Invalid]), &mut delivered);
    assert_eq!((batch.lines.len(), delivered.done), (3, 0));
    batch.settle(&reply(&[Ok, Ok, Invalid]), &mut delivered);
    assert_eq!((batch.lines.len(), delivered.done, delivered.refused.len()), (0, 2, 1));
}

#[test]
fn items_without_a_result_are_open() {
    let mut batch = Batch::posts(numbered::<Post>(&[1, 2]));
    let mut delivered = Delivered::default();
    batch.settle(&reply(&[ItemStatus::Ok]), &mut delivered);
    assert_eq!(batch.lines, [2]);
}

#[test]
fn errors_of_the_request_itself_are_not_retried() {
    assert!(is_worth_a_retry(Code::Unavailable) && is_worth_a_retry(Code::ResourceExhausted));
    assert!(!is_worth_a_retry(Code::InvalidArgument) && !is_worth_a_retry(Code::Unimplemented));
}
