//! Learners that nobody waits for go, and others stay.

use super::*;
use crate::moving::{Move, Seen, Step};
use crate::testing::{BEGIN, Bed, LIMITS, begun, drain, moves, repair};
use covey_shared::ids::UnixMillis;
use covey_shared::members::ChangeKind;
use covey_shared::metadata::Ending;

/// A move was taken back while its learner was on its way.
fn late() -> Bed {
    let mut bed = Bed::new(6, 3);
    let id = bed.start(moves(1, 1, 4)).unwrap();
    bed.cancel(id).unwrap();
    bed.end(id, Ending::Cancelled);
    bed.learner(1, 4);
    bed.observe();
    bed
}

#[test]
fn a_learner_that_came_too_late_goes() {
    let mut bed = late();
    bed.pass(PAUSE_MS - 1);
    assert_eq!(bed.plan().actions, [], "its end may not show yet");
    bed.pass(1);
    assert_eq!(begun(&bed.turn()), [moves(1, 4, 1)]);
    assert_eq!(begun(&bed.turn()), [], "once");
    let record = bed.state.running().next().unwrap();
    assert_eq!((record.by.as_str(), record.parent), (SCHEDULER, None));
    let (id, what) = (
        record.id,
        Move {
            shard: ShardId(1),
            from: NodeId(4),
            to: NodeId(1),
        },
    );
    let step = what.next(&Seen {
        report: &bed.reports[&ShardId(1)],
        left_over: None,
        cancelled: false,
    });
    let learner = bed.member(1, 4).unwrap();
    assert!(matches!(step, Step::Propose(change) if change.kind == ChangeKind::Remove(learner)));
    // Should it fail, it is tried again, but not at once.
    bed.end(id, Ending::Failed("no".to_owned()));
    assert_eq!(begun(&bed.plan()), []);
    bed.pass(PAUSE_MS);
    assert_eq!(begun(&bed.plan()), [moves(1, 4, 1)]);
    bed.change(1, ChangeKind::Remove(learner));
    assert_eq!(begun(&bed.plan()), []);
}

#[test]
fn a_learner_of_a_move_stays() {
    let mut bed = late();
    bed.pass(PAUSE_MS);
    let id = bed.start(moves(1, 1, 4)).unwrap();
    assert_eq!(bed.plan().actions, []);
    bed.end(id, Ending::Cancelled);
    bed.pass(PAUSE_MS);
    let (promote, demote) = (vec![bed.member(1, 4).unwrap()], vec![bed.member(1, 1).unwrap()]);
    bed.learner(1, 5);
    bed.change(1, ChangeKind::Replace { promote, demote });
    bed.observe();
    assert_eq!(bed.plan().actions, [], "the vote goes over");
}

#[test]
fn what_is_not_known_of_is_not_removed() {
    let mut bed = Bed::new(6, 3);
    bed.learner(1, 4);
    assert_eq!(bed.plan().actions, [], "it would be refused");
    bed.observe();
    assert_eq!(begun(&bed.plan()), [moves(1, 4, 1)]);
    bed.reports.remove(&ShardId(1));
    assert_eq!(bed.plan().actions, [], "nobody could do it");
}

#[test]
fn a_drain_or_repair_goes_on_with_what_was_begun() {
    let mut bed = late();
    bed.pass(PAUSE_MS);
    let id = bed.start(drain(1)).unwrap();
    assert_eq!(begun(&bed.plan()), [moves(1, 1, 4), moves(0, 1, 6)]);
    bed.cancel(id).unwrap();
    assert_eq!(begun(&bed.plan()), [moves(1, 4, 1)], "it is taken back");
    for (node, expected) in [(4, vec![moves(1, 4, 1)]), (6, vec![moves(1, 4, 1)])] {
        let mut bed = late();
        bed.pass(PAUSE_MS);
        bed.start(drain(node)).unwrap();
        let on_shard = begun(&bed.plan())
            .into_iter()
            .filter(|what| what.shard() == Some(ShardId(1)));
        assert_eq!(on_shard.collect::<Vec<_>>(), expected, "node {node}");
    }
    let mut bed = late();
    bed.pass(PAUSE_MS);
    bed.away(2, Some(BEGIN));
    bed.start(repair(2)).unwrap();
    assert_eq!(begun(&bed.plan())[0], moves(1, 2, 4));
}

#[test]
fn one_operation_begins_on_a_shard() {
    let mut bed = late();
    bed.pass(PAUSE_MS);
    bed.away(4, Some(UnixMillis(BEGIN.0 + PAUSE_MS)));
    bed.start(drain(1)).unwrap();
    assert_eq!(
        begun(&bed.plan()),
        [moves(1, 1, 6), moves(0, 1, 5)],
        "its learner is away"
    );
}

#[test]
fn a_few_go_at_once() {
    let mut bed = Bed::new(6, 3);
    (0..=3).for_each(|shard| _ = bed.learner(shard, 6));
    bed.observe();
    assert_eq!(begun(&bed.turn()).len(), LIMITS.moves);
    assert_eq!(begun(&bed.turn()), []);
    let first = bed.state.running().next().unwrap().clone();
    bed.end(first.id, Ending::Done);
    let begun = begun(&bed.turn());
    assert!(begun.len() == 1 && begun[0].shard() != first.what.shard());
}
