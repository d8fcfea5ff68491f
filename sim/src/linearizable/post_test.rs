//! What a post promises to several clients, and which histories it cannot have.

use super::*;
use crate::linearizable::{Operation, Verdict, check};

type Line = (u64, PostCall, Option<(u64, PostAnswer)>);

fn verdict(lines: impl IntoIterator<Item = Line>) -> Verdict {
    let operation = |(begun, call, answer)| Operation { begun, call, answer };
    check::<HotPost>(&lines.into_iter().map(operation).collect::<Vec<_>>())
}

fn put(begun: u64, version: u64, ended: u64, answer: PostAnswer) -> Line {
    (begun, PostCall::Put(Version(version)), Some((ended, answer)))
}

fn delete(begun: u64, version: u64, ended: u64, answer: PostAnswer) -> Line {
    (begun, PostCall::Delete(Version(version)), Some((ended, answer)))
}

fn read(begun: u64, ended: u64, found: Option<u64>) -> Line {
    let answer = PostAnswer::Found(found.map(Version));
    (begun, PostCall::Read, Some((ended, answer)))
}

use PostAnswer::{Settled, Superseded, Taken};

#[test]
fn the_highest_version_wins() {
    let history = [
        put(0, 2, 1, Taken),
        put(2, 1, 3, Superseded),
        read(4, 5, Some(2)),
        delete(6, 3, 7, Taken),
        read(8, 9, None),
    ];
    assert_eq!(verdict(history), Verdict::Linearizable);
}

#[test]
fn a_stale_read_is_rejected() {
    let lines = [put(0, 1, 1, Taken), put(2, 2, 3, Taken), read(4, 5, Some(1))];
    assert_eq!(verdict(lines), Verdict::Broken(vec![0, 1]));
    // The same read before the second put had ended is none.
    let lines = [put(0, 1, 1, Taken), put(2, 2, 6, Taken), read(4, 5, Some(1))];
    assert_eq!(verdict(lines), Verdict::Linearizable);
}

#[test]
fn a_read_does_not_go_back_behind_another() {
    let lines = [
        put(0, 1, 1, Taken),
        (2, PostCall::Put(Version(2)), None),
        read(3, 4, Some(2)),
        read(5, 6, Some(1)),
    ];
    assert!(matches!(verdict(lines), Verdict::Broken(_)));
}

#[test]
fn a_lost_write_and_one_that_nobody_made_are_rejected() {
    assert!(matches!(
        verdict([put(0, 1, 1, Taken), read(2, 3, None)]),
        Verdict::Broken(_)
    ));
    assert!(matches!(
        verdict([put(0, 1, 1, Taken), read(2, 3, Some(7))]),
        Verdict::Broken(_)
    ));
}

#[test]
fn a_change_that_was_tried_twice_may_count_either_time() {
    // The first try counts and is read; the second one comes after a newer version.
    let early = [put(0, 1, 9, Settled), read(1, 2, Some(1)), put(3, 2, 4, Taken)];
    assert_eq!(verdict(early), Verdict::Linearizable);
    let late = [put(0, 1, 9, Settled), put(1, 2, 2, Taken), read(3, 4, Some(2))];
    assert_eq!(verdict(late), Verdict::Linearizable);
    // Of one that was tried once it is known when.
    let once = [put(0, 1, 9, Superseded), read(1, 2, Some(1)), put(3, 2, 4, Taken)];
    assert!(matches!(verdict(once), Verdict::Broken(_)));
}
