//! What may begin, and why not.

use super::*;
use crate::testing::{BEGIN, Bed, HOUR_MS, add, drain, maintenance, moves, place, repair, start};
use covey_shared::command::ItemResult;
use covey_shared::ids::LogIndex;
use covey_shared::members::ChangeKind;
use covey_shared::metadata::{Ending, MetadataChange};

fn transfer(shard: u64, to: u64) -> Operation {
    let (shard, to) = (ShardId(shard), NodeId(to));
    Operation::TransferLeader { shard, to }
}

fn later(ms: u64) -> UnixMillis {
    UnixMillis(BEGIN.0 + ms)
}

#[test]
fn times_are_in_bounds() {
    let bed = Bed::new(4, 1);
    let limited = |what, limit_ms| Start {
        limit_ms,
        ..start(what)
    };
    let until = |until| limited(maintenance(1, until), 1);
    for (wanted, allowed) in [
        (limited(drain(1), 0), false),
        (limited(drain(1), MAX_LIMIT_MS + 1), false),
        (limited(drain(1), u64::MAX), false),
        (limited(drain(1), MAX_LIMIT_MS), true),
        (limited(moves(1, 1, 4), 1), true),
        (until(BEGIN), false),
        (until(later(MAX_MAINTENANCE_MS + 1)), false),
        (until(UnixMillis(u64::MAX)), false),
        (until(later(1)), true),
        (until(later(MAX_MAINTENANCE_MS)), true),
    ] {
        let admitted = bed.state.admit(BEGIN, &wanted);
        assert_eq!(admitted.is_ok(), allowed, "{wanted:?}");
        assert!(allowed || matches!(admitted, Err(OperationFault::Invalid(_))));
    }
}

#[test]
fn what_is_not_there_is_said() {
    let mut bed = Bed::new(4, 1);
    let (node, shard) = (
        OperationFault::UnknownNode(NodeId(9)),
        OperationFault::UnknownShard(ShardId(9)),
    );
    for (wanted, fault) in [
        (moves(1, 9, 4), &node),
        (moves(1, 1, 9), &node),
        (transfer(1, 9), &node),
        (drain(9), &node),
        (repair(9), &node),
        (add(9), &node),
        (maintenance(9, later(5)), &node),
        (moves(9, 1, 4), &shard),
        (transfer(9, 1), &shard),
    ] {
        assert_eq!(bed.start(wanted).as_ref(), Err(fault));
    }
    assert!(bed.state.operations.is_empty());
}

#[test]
fn a_retry_begins_nothing_new() {
    for (first, again) in [
        (moves(1, 1, 4), moves(1, 1, 4)),
        (transfer(1, 2), transfer(1, 2)),
        (drain(2), drain(2)),
        (add(2), add(2)),
        (maintenance(2, later(5)), maintenance(2, later(6))),
    ] {
        let mut bed = Bed::new(4, 1);
        let id = bed.start(first).unwrap();
        assert_eq!(bed.start(again), Ok(id));
        assert_eq!(bed.state.operations.len(), 1);
        // Who asks again after taking it back wants a new one, and has to wait for it.
        bed.cancel(id).unwrap();
        assert_eq!(bed.start(again), Err(OperationFault::Conflict(id)));
        bed.end(id, Ending::Cancelled);
        assert_ne!(bed.start(again).unwrap(), id);
    }
}

#[test]
fn a_shard_and_a_node_have_one_operation_each() {
    let mut bed = Bed::new(5, 2);
    let (first, second) = (bed.start(moves(1, 1, 4)).unwrap(), bed.start(drain(2)).unwrap());
    for (wanted, other) in [
        (moves(1, 1, 5), first),
        (moves(1, 2, 4), first),
        (transfer(1, 2), first),
        (maintenance(2, later(5)), second),
    ] {
        assert_eq!(bed.start(wanted), Err(OperationFault::Conflict(other)));
    }
    bed.away(2, Some(BEGIN));
    assert_eq!(bed.start(repair(2)), Err(OperationFault::Conflict(second)));
    bed.start(moves(2, 2, 5)).unwrap();
    bed.start(drain(1)).unwrap();
}

#[test]
fn a_child_begins_while_its_parent_wants_it() {
    let mut bed = Bed::new(5, 2);
    let parent = bed.start(drain(2)).unwrap();
    let child = bed.child(moves(1, 2, 5), parent).unwrap();
    assert_eq!(bed.record(child).parent, Some(parent));
    bed.cancel(parent).unwrap();
    assert_eq!(bed.child(moves(2, 2, 5), parent), Err(OperationFault::Ended(parent)));
    bed.end(parent, Ending::Cancelled);
    assert_eq!(bed.child(moves(2, 2, 5), parent), Err(OperationFault::Ended(parent)));
    let unknown = OperationId(99);
    assert_eq!(
        bed.child(moves(2, 2, 5), unknown),
        Err(OperationFault::UnknownOperation(unknown))
    );
}

#[test]
fn a_move_has_something_to_move_and_somewhere_to_go() {
    let mut bed = Bed::new(5, 1);
    let of = |shard, node| (ShardId(shard), NodeId(node));
    let not_a_voter = |node| {
        let (shard, node) = of(1, node);
        Err(OperationFault::NotAVoter { shard, node })
    };
    let there = |node| {
        let (shard, node) = of(1, node);
        Err(OperationFault::AlreadyThere { shard, node })
    };
    let id = bed.start(drain(5)).unwrap();
    bed.end(id, Ending::Done);
    for (from, to, outcome) in [
        (4, 5, not_a_voter(4)),
        (4, 1, not_a_voter(4)),
        (1, 2, there(2)),
        (1, 1, there(1)),
        (1, 5, Err(OperationFault::Drained(NodeId(5)))),
        (1, 4, Ok(None)),
    ] {
        assert_eq!(
            bed.state.admit(BEGIN, &start(moves(1, from, to))),
            outcome,
            "{from} to {to}"
        );
    }
    assert_eq!(
        bed.start(transfer(1, 4)),
        not_a_voter(4).map(|_: Option<OperationId>| OperationId(0))
    );
}

#[test]
fn a_move_that_was_interrupted_may_be_asked_for_again() {
    let mut bed = Bed::new(5, 1);
    let wanted = start(moves(1, 1, 4));
    let new = bed.learner(1, 4);
    bed.observe();
    assert_eq!(bed.state.admit(BEGIN, &wanted), Ok(None), "it has a learner");
    let lone = bed.state.admit(BEGIN, &start(moves(1, 4, 5)));
    assert!(matches!(lone, Err(OperationFault::NotAVoter { .. })));
    let old = bed.member(1, 1).unwrap();
    let (promote, demote) = (vec![new], vec![old]);
    for kind in [ChangeKind::Replace { promote, demote }, ChangeKind::LeaveJoint] {
        bed.change(1, kind);
        bed.observe();
        assert_eq!(bed.state.admit(BEGIN, &wanted), Ok(None), "the vote goes over, or went");
    }
    // Nothing comes to the new one any more: it may be drained meanwhile.
    bed.start(drain(4)).unwrap();
    assert_eq!(bed.state.admit(BEGIN, &wanted), Ok(None));
    bed.change(1, ChangeKind::Remove(old));
    bed.observe();
    assert!(bed.state.admit(BEGIN, &wanted).is_err(), "it is over");
}

#[test]
fn a_node_is_emptied_only_if_the_others_have_room() {
    let mut bed = Bed::new(4, 1);
    let no_room = |shard| {
        let (left, needed) = (2, 3);
        Err(OperationFault::NoRoom {
            shard: ShardId(shard),
            left,
            needed,
        })
    };
    assert_eq!(bed.start(repair(2)), Err(OperationFault::NotAway(NodeId(2))));
    let first = bed.start(drain(4)).unwrap();
    assert_eq!(bed.start(drain(2)), no_room(0));
    bed.away(3, Some(BEGIN));
    assert_eq!(bed.start(repair(3)), no_room(0));
    assert!(!bed.state.nodes[&NodeId(2)].drained, "what is refused changes nothing");
    // A node without replicas needs no room.
    bed.apply(MetadataChange::Register(vec![place(5, "")]));
    bed.start(drain(5)).unwrap();
    bed.cancel(first).unwrap();
    bed.start(repair(3)).unwrap();
}

#[test]
fn a_node_is_emptied_only_if_all_shards_are_known() {
    for unknown in [0, 1, 2] {
        let mut bed = Bed::new(5, 2);
        let known = bed.state.shards.remove(&ShardId(unknown)).unwrap();
        bed.away(3, Some(BEGIN));
        for what in [drain(5), repair(3)] {
            assert_eq!(bed.start(what), Err(OperationFault::NotYetKnown));
            assert_eq!(
                bed.state.rehearse(what, &bed.sights()),
                Err(OperationFault::NotYetKnown)
            );
        }
        bed.pass(HOUR_MS);
        assert_eq!(bed.plan().actions, [], "no repair begins by itself");
        bed.start(maintenance(1, UnixMillis(bed.now.0 + 5))).unwrap();
        bed.apply(MetadataChange::Observe(vec![known]));
        bed.start(drain(5)).unwrap();
    }
}

#[test]
fn a_shard_or_node_that_was_not_seen_yet_is_not_said_to_be_none() {
    let mut bed = Bed::new(5, 2);
    let known = bed.state.shards.remove(&ShardId(1)).unwrap();
    let moves = |shard, node| Operation::TransferLeader {
        shard: ShardId(shard),
        to: NodeId(node),
    };
    for what in [moves(1, 1), moves(2, 9), recovers(1, 1), drain(9)] {
        assert_eq!(bed.start(what), Err(OperationFault::NotYetKnown), "{what:?}");
    }
    bed.apply(MetadataChange::Observe(vec![known]));
    assert_eq!(bed.start(moves(9, 1)), Err(OperationFault::UnknownShard(ShardId(9))));
    assert_eq!(bed.start(moves(1, 9)), Err(OperationFault::UnknownNode(NodeId(9))));
}

#[test]
fn so_many_run_at_once() {
    let mut bed = Bed::new(4, 1);
    let nodes = (10..).take(MAX_RUNNING + 1).map(|node| place(node, "")).collect();
    bed.apply(MetadataChange::Register(nodes));
    for node in (10..).take(MAX_RUNNING) {
        bed.start(maintenance(node, later(5))).unwrap();
    }
    let many = Err(OperationFault::TooMany(MAX_RUNNING as u64));
    assert_eq!(bed.start(maintenance(10 + MAX_RUNNING as u64, later(5))), many);
    assert!(bed.start(maintenance(10, later(5))).is_ok(), "a retry is no new one");
    let effect = bed
        .state
        .apply(LogIndex(999), later(9), &MetadataChange::Start(start(drain(1))));
    assert_eq!(effect.result, ItemResult::Operation(many));
}

#[test]
fn a_node_is_filled_only_while_it_may_have_replicas_and_nothing_else_is_done_with_it() {
    let mut bed = Bed::new(5, 1);
    let id = bed.start(drain(4)).unwrap();
    assert_eq!(bed.start(add(4)), Err(OperationFault::Conflict(id)));
    bed.end(id, Ending::Done);
    assert_eq!(bed.start(add(4)), Err(OperationFault::Drained(NodeId(4))));
    bed.undrain(4).unwrap();
    let id = bed.start(add(4)).unwrap();
    assert_eq!(bed.start(drain(4)), Err(OperationFault::Conflict(id)));
    bed.state.shards.remove(&ShardId(1));
    assert_eq!(bed.start(add(5)), Err(OperationFault::NotYetKnown));
}

fn recovers(shard: u64, keep: u64) -> Operation {
    let (shard, keep) = (ShardId(shard), NodeId(keep));
    Operation::UnsafeRecover { shard, keep }
}

#[test]
fn a_shard_is_recovered_only_if_most_of_it_is_away_and_what_stays_is_not() {
    let mut bed = Bed::new(5, 2);
    let shard = ShardId(1);
    let (there, voters) = (2, 3);
    assert_eq!(bed.start(recovers(9, 1)), Err(OperationFault::UnknownShard(ShardId(9))));
    assert!(matches!(bed.start(recovers(0, 1)), Err(OperationFault::Invalid(_))));
    bed.away(1, Some(BEGIN));
    assert_eq!(
        bed.start(recovers(1, 2)),
        Err(OperationFault::MajorityThere { shard, there, voters })
    );
    bed.away(2, Some(BEGIN));
    assert_eq!(bed.start(recovers(1, 2)), Err(OperationFault::Away(NodeId(2))));
    let node = NodeId(5);
    assert_eq!(
        bed.start(recovers(1, 5)),
        Err(OperationFault::NotAVoter { shard, node })
    );
    // What else works on it waits for ever.
    let stuck = bed.start(moves(1, 1, 4)).unwrap();
    let id = bed.start(recovers(1, 3)).unwrap();
    assert!(matches!(bed.record(stuck).ended, Some((_, Ending::Failed(_)))));
    assert_eq!(bed.start(recovers(1, 3)), Ok(id));
    assert_eq!(bed.start(moves(1, 1, 4)), Err(OperationFault::Conflict(id)));
    assert_eq!(bed.audit.last().unwrap().outcome, Err(OperationFault::Conflict(id)));
}

#[test]
fn in_a_joint_configuration_both_majorities_are_needed() {
    let mut bed = Bed::new(6, 1);
    let new = [4, 5].map(|node| bed.learner(1, node));
    let demote = [1, 2].map(|node| bed.member(1, node).unwrap()).to_vec();
    bed.change(
        1,
        ChangeKind::Replace {
            promote: new.to_vec(),
            demote,
        },
    );
    bed.observe();
    assert!(matches!(
        bed.start(recovers(1, 3)),
        Err(OperationFault::MajorityThere { .. })
    ));
    for node in [1, 2] {
        bed.away(node, Some(BEGIN));
    }
    assert!(bed.start(recovers(1, 3)).is_ok());
}
