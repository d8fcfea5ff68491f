//! What a new node gets, from whom, and when that is enough.

use super::*;
use crate::parts::PAUSE_MS;
use crate::testing::{BEGIN, Bed, HOUR_MS, add, begun, drain, moves, place};
use covey_shared::ids::{OperationId, ShardId};
use covey_shared::metadata::Operation;

/// Four nodes with three replicas each, and node 5 without any, which is filled.
fn filled() -> (Bed, OperationId) {
    let mut bed = Bed::new(4, 4);
    bed.join(5, "");
    let id = bed.start(add(5)).unwrap();
    (bed, id)
}

fn child(bed: &Bed) -> OperationId {
    let mut children = bed.state.running().filter(|record| record.parent.is_some());
    children.next().unwrap().id
}

#[test]
fn the_fullest_give_one_after_another_until_it_has_its_share() {
    let (mut bed, id) = filled();
    for (done, (shard, from)) in [(1, 2), (2, 3)].into_iter().enumerate() {
        assert_eq!(begun(&bed.turn()), [moves(shard, from, 5)]);
        assert_eq!((begun(&bed.plan()), bed.ending(id)), (vec![], None), "one at a time");
        bed.pass(1000);
        bed.moved(shard, from, 5);
        bed.end(child(&bed), Ending::Done);
        let progress = bed.progress(id);
        assert_eq!((progress.done, progress.total), (done as u64 + 1, 2));
    }
    assert_eq!(bed.ending(id), Some(Ending::Done));
    assert_eq!(bed.progress(id).step, "node 5 has its share of the replicas");
}

#[test]
fn a_leader_and_the_metadata_stay_where_they_are() {
    let (bed, id) = filled();
    for what in begun(&bed.plan()) {
        let Operation::Move { shard, from, .. } = what else {
            panic!("{what:?}")
        };
        assert_ne!(shard, ShardId::METADATA);
        assert_ne!(bed.reports[&shard].replica.node(), from);
    }
    let progress = bed.progress(id);
    assert_eq!(progress.step, "node 5 has 0 of the 2 replicas that are its share");
}

#[test]
fn zones_become_no_worse() {
    // Shard 1 is on nodes 1 to 3 with a zone each; node 4 shares the zone of node 1.
    let zoned = |zone: &str| {
        let mut bed = Bed::new(3, 2);
        for (node, zone) in (1..4).zip(["a", "b", "c"]) {
            bed.announce(place(node, zone)).unwrap();
        }
        bed.join(4, zone);
        let id = bed.start(add(4)).unwrap();
        (bed, id)
    };
    let (bed, id) = zoned("b");
    assert_eq!(begun(&bed.plan()), [moves(1, 2, 4)]);
    assert_eq!(bed.ending(id), None);
    let (bed, id) = zoned("");
    assert_eq!(
        (begun(&bed.plan()), bed.ending(id)),
        (vec![], Some(Ending::Done)),
        "nothing would be better"
    );
}

#[test]
fn what_is_in_the_way_is_said() {
    let (mut bed, id) = filled();
    bed.away(5, Some(BEGIN));
    assert_eq!(begun(&bed.turn()), []);
    assert_eq!(
        bed.progress(id).blocked_by,
        "node 5 does not answer; it gets replicas once it does"
    );
    bed.away(5, None);
    bed.turn();
    let first = child(&bed);
    bed.end(first, Ending::Failed("no disk".to_owned()));
    assert_eq!(begun(&bed.turn()), [moves(2, 3, 5)], "another shard may go");
    bed.end(child(&bed), Ending::Cancelled);
    bed.reports.retain(|shard, _| [1, 2].contains(&shard.0));
    bed.pass(PAUSE_MS - 1000);
    assert_eq!(begun(&bed.plan()), []);
    let said = "shard 1 was not moved (no disk); the next try begins in 1 s";
    assert_eq!(bed.progress(id).blocked_by, said);
    bed.pass(1000);
    assert_eq!(begun(&bed.plan()), [moves(1, 2, 5)]);
}

#[test]
fn what_has_just_come_counts_before_it_shows() {
    let (mut bed, id) = filled();
    bed.turn();
    bed.end(child(&bed), Ending::Done);
    assert_eq!((begun(&bed.turn()), bed.ending(id)), (vec![], None));
    assert_eq!(
        bed.progress(id).blocked_by,
        "shard 1 has just moved, and does not say so yet"
    );
    bed.pass(PAUSE_MS);
    assert_eq!(begun(&bed.plan()), [moves(1, 2, 5)], "it was not moved");
}

#[test]
fn a_move_to_a_node_that_is_gone_makes_room() {
    let (mut bed, id) = filled();
    bed.turn();
    let gone = child(&bed);
    bed.away(5, Some(BEGIN));
    bed.turn();
    assert!(bed.record(gone).cancelled && !bed.record(id).cancelled);
    assert_eq!(bed.turn().actions, [], "once");
}

#[test]
fn it_is_taken_back_once_its_move_has_ended() {
    let late = Ending::Failed("it was not done in time".to_owned());
    for (passes, expected) in [(0, Ending::Cancelled), (HOUR_MS, late)] {
        let (mut bed, id) = filled();
        bed.turn();
        bed.pass(passes);
        match passes {
            0 => assert_eq!(bed.cancel(id), Ok(id)),
            _ => assert_eq!(begun(&bed.turn()), []),
        }
        let part = child(&bed);
        assert!(bed.record(part).cancelled && bed.ending(id).is_none());
        assert_eq!(bed.progress(id).step, "is taken back; 1 moves come to their end");
        bed.end(part, Ending::Cancelled);
        assert_eq!(bed.ending(id), Some(expected));
    }
}

#[test]
fn it_waits_for_what_others_bring() {
    let (mut bed, id) = filled();
    let brings = bed.start(moves(1, 1, 5)).unwrap();
    assert_eq!(begun(&bed.turn()), []);
    assert!(bed.progress(id).blocked_by.contains("get another one first"));
    bed.moved(1, 1, 5);
    bed.end(brings, Ending::Done);
    assert_eq!(begun(&bed.turn()).len(), 1);
    // A node that is emptied meanwhile rather gives than takes.
    bed.start(drain(4)).unwrap();
    assert_eq!(begun(&bed.turn()).len(), 1, "the drain begins one beside it");
}

#[test]
fn the_time_left_counts_what_comes_one_after_another() {
    let (mut bed, id) = filled();
    bed.forecast.usual_ms = Some(2_600);
    assert_eq!(bed.progress(id).eta_ms, Some(2 * 3_000));
    bed.turn();
    bed.forecast.left_ms = [(child(&bed), 1_000)].into();
    assert_eq!(bed.progress(id).eta_ms, Some(1_000 + 3_000));
    // Its own parts say more than those of others.
    let first = child(&bed);
    let Operation::Move { shard, from, to } = bed.state.operations[&first].what else {
        panic!("a node is filled by moves")
    };
    bed.pass(5_600);
    bed.moved(shard.0, from.0, to.0);
    bed.observe();
    bed.end(first, Ending::Done);
    bed.turn();
    assert_eq!(bed.progress(id).eta_ms, Some(5_600));
}
