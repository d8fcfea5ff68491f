//! When a node is given up.

use super::*;
use crate::schedule::schedule;
use crate::testing::{BEGIN, Bed, LIMITS, add, begun, drain, maintenance, place, repair};
use covey_shared::metadata::Ending;

const MAX_DOWN_MS: u64 = 600_000;

fn countdown(bed: &Bed, node: u64) -> Option<u64> {
    repair_in_ms(&bed.state, NodeId(node), &bed.sights(), &LIMITS)
}

/// Repairs that begin now.
fn repaired(bed: &Bed) -> Vec<Operation> {
    begun(&bed.plan())
        .into_iter()
        .filter(|what| matches!(what, Operation::Repair { .. }))
        .collect()
}

/// A node is away, for as long as one may be.
fn given_up(node: u64) -> Bed {
    let mut bed = Bed::new(5, 5);
    bed.away(node, Some(BEGIN));
    bed.pass(MAX_DOWN_MS);
    bed
}

#[test]
fn a_node_is_repaired_when_it_is_away_for_long() {
    let mut bed = Bed::new(5, 5);
    assert_eq!(countdown(&bed, 2), None);
    bed.away(2, Some(BEGIN));
    assert_eq!(countdown(&bed, 2), Some(MAX_DOWN_MS));
    bed.pass(MAX_DOWN_MS - 1);
    assert_eq!((countdown(&bed, 2), repaired(&bed)), (Some(1), vec![]));
    bed.pass(1);
    assert_eq!((countdown(&bed, 2), repaired(&bed)), (Some(0), vec![repair(2)]));
    bed.turn();
    assert_eq!((countdown(&bed, 2), repaired(&bed)), (None, vec![]), "it runs");
    assert!(
        bed.state
            .running()
            .any(|record| record.what == repair(2) && record.by == SCHEDULER)
    );
}

#[test]
fn never_may_be_wanted() {
    let bed = given_up(2);
    let never = Limits {
        max_down_ms: None,
        ..LIMITS
    };
    assert_eq!(schedule(&bed.state, &bed.sights(), &never).actions, []);
    assert_eq!(repair_in_ms(&bed.state, NodeId(2), &bed.sights(), &never), None);
}

#[test]
fn who_works_on_a_node_holds_its_repair_back() {
    for what in [drain(2), maintenance(2, UnixMillis(BEGIN.0 + 2 * MAX_DOWN_MS))] {
        let mut bed = given_up(2);
        let id = bed.start(what).unwrap();
        assert_eq!((countdown(&bed, 2), repaired(&bed)), (None, vec![]));
        bed.end(id, Ending::Cancelled);
        let whole = Some(MAX_DOWN_MS);
        assert_eq!(
            (countdown(&bed, 2), repaired(&bed)),
            (whole, vec![]),
            "it ended while the node is down"
        );
        bed.pass(MAX_DOWN_MS);
        assert_eq!((countdown(&bed, 2), repaired(&bed)), (Some(0), vec![repair(2)]));
    }
}

#[test]
fn who_brings_replicas_to_a_node_makes_room_for_its_repair() {
    let mut bed = Bed::new(5, 5);
    let id = bed.start(add(2)).unwrap();
    bed.away(2, Some(BEGIN));
    bed.pass(MAX_DOWN_MS - 1);
    assert_eq!(countdown(&bed, 2), Some(1));
    bed.pass(1);
    bed.turn();
    assert!(bed.record(id).cancelled);
    bed.turn();
    bed.turn();
    assert!(bed.state.running().any(|record| record.what == repair(2)));
}

#[test]
fn nodes_are_repaired_side_by_side() {
    let mut bed = given_up(2);
    bed.away(3, Some(BEGIN));
    bed.silent.insert(NodeId(3), MAX_DOWN_MS);
    assert_eq!(repaired(&bed), [repair(2), repair(3)]);
    bed.turn();
    assert_eq!(repaired(&bed), []);
}

#[test]
fn a_node_of_which_a_leader_hears_is_not_given_up() {
    let mut bed = given_up(2);
    bed.hear(1, 2, true);
    assert_eq!((countdown(&bed, 2), repaired(&bed)), (None, vec![]));
    bed.hear(1, 2, false);
    assert_eq!((countdown(&bed, 2), repaired(&bed)), (Some(0), vec![repair(2)]));
}

#[test]
fn who_has_just_begun_to_look_gives_nobody_up() {
    let mut bed = given_up(2);
    // It leads since now, or its clock was put forward.
    bed.silent.clear();
    assert_eq!((countdown(&bed, 2), repaired(&bed)), (Some(MIN_SILENCE_MS), vec![]));
    bed.silent.insert(NodeId(2), MIN_SILENCE_MS - 1);
    assert_eq!((countdown(&bed, 2), repaired(&bed)), (Some(1), vec![]));
    bed.pass(1);
    assert_eq!((countdown(&bed, 2), repaired(&bed)), (Some(0), vec![repair(2)]));
    let soon = Limits {
        max_down_ms: Some(10_000),
        ..LIMITS
    };
    bed.silent.insert(NodeId(2), 4000);
    assert_eq!(repair_in_ms(&bed.state, NodeId(2), &bed.sights(), &soon), Some(6000));
}

#[test]
fn nothing_is_repaired_by_who_hears_few() {
    let mut bed = given_up(2);
    bed.up.remove(&NodeId(3));
    assert_eq!(repaired(&bed), [repair(2)], "three of five are there");
    bed.up.remove(&NodeId(4));
    assert_eq!(repaired(&bed), []);
}

#[test]
fn a_node_without_replicas_or_without_room_for_them_is_left_alone() {
    let mut bed = Bed::new(3, 1);
    bed.apply(MetadataChange::Register(vec![place(4, "")]));
    bed.away(4, Some(BEGIN));
    bed.pass(MAX_DOWN_MS);
    assert_eq!((countdown(&bed, 4), repaired(&bed)), (None, vec![]));
    let mut bed = Bed::new(3, 1);
    bed.away(2, Some(BEGIN));
    bed.pass(MAX_DOWN_MS);
    assert_eq!(
        (countdown(&bed, 2), repaired(&bed)),
        (Some(0), vec![]),
        "there are three nodes for three replicas"
    );
}

#[test]
fn who_takes_a_repair_back_has_time_to_say_more() {
    let mut bed = given_up(2);
    bed.turn();
    let id = bed.state.running().next().unwrap().id;
    bed.cancel(id).unwrap();
    bed.end(id, Ending::Cancelled);
    assert_eq!((countdown(&bed, 2), repaired(&bed)), (Some(MAX_DOWN_MS), vec![]));
    bed.pass(MAX_DOWN_MS);
    assert_eq!(repaired(&bed), [repair(2)]);
}
