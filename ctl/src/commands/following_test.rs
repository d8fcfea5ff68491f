//! A watch ends with what it is about, and says no more than there is to say.

use super::*;

fn operation(id: u64, parent: u64, state: OperationState) -> OperationView {
    OperationView {
        id,
        parent,
        state: state as i32,
        ..OperationView::default()
    }
}

fn reply(operations: Vec<OperationView>) -> DescribeClusterReply {
    DescribeClusterReply {
        at_ms: 1_000,
        operations,
        ..DescribeClusterReply::default()
    }
}

use OperationState::{Cancelled, Done, Failed, Running};

#[test]
fn a_watch_of_one_ends_with_it_whatever_its_parts_do() {
    let following = Following::of(Some(1));
    let end = |own, part| following.ended(&reply(vec![operation(1, 0, own), operation(2, 1, part)]));
    assert_eq!(end(Running, Done), None);
    assert_eq!(end(Done, Failed), Some(true), "a part was tried again");
    assert_eq!(end(Failed, Done), Some(false));
    assert_eq!(end(Cancelled, Running), Some(false));
}

#[test]
fn a_watch_of_all_is_about_those_that_ran_while_it_looked() {
    let mut following = Following::of(None);
    let mut first = reply(vec![
        operation(1, 0, Done),
        operation(2, 0, Running),
        operation(3, 2, Done),
    ]);
    following.keep(&mut first);
    let ids: Vec<u64> = first.operations.iter().map(|one| one.id).collect();
    assert_eq!((ids, following.ended(&first)), (vec![2, 3], None));
    let mut last = reply(vec![operation(1, 0, Failed), operation(2, 0, Done)]);
    following.keep(&mut last);
    assert_eq!(following.ended(&last), Some(true));
    let mut nothing = reply(vec![operation(1, 0, Failed)]);
    Following::of(None).keep(&mut nothing);
    assert_eq!(Following::of(None).ended(&nothing), Some(true), "nothing runs");
}

#[test]
fn figures_alone_are_news_now_and_then_and_everything_else_at_once() {
    let mut following = Following::of(Some(1));
    let mut at = |at_ms, step: &str, done| {
        let mut one = operation(1, 0, Running);
        (one.step, one.done, one.total) = (step.to_owned(), done, 100);
        let mut reply = reply(vec![one]);
        reply.at_ms = at_ms;
        following.news(&reply).len()
    };
    assert_eq!(at(1_000, "fetches 1 of 9", 0), 1);
    assert_eq!(at(1_500, "fetches 2 of 9", 5), 0);
    assert_eq!(at(2_000, "fetches 2 of 9", 12), 1, "another tenth");
    assert_eq!(at(2_500, "takes it in", 12), 1);
    assert_eq!(at(9_000, "takes it in", 13), 0, "nothing is said twice");
    assert_eq!(at(9_500, "takes 7 in", 13), 1);
    assert_eq!(at(15_000, "takes 8 in", 13), 1);
}
