//! Zones first, then load; and never where it would not stay.

use super::*;
use crate::testing::{BEGIN, Bed, drain, maintenance, moves, place};
use covey_shared::ids::UnixMillis;
use covey_shared::members::ChangeKind;
use covey_shared::metadata::Ending;

fn target(bed: &Bed, shard: u64, from: u64, asked: Asked) -> Choice {
    let sights = bed.sights();
    let outlook = Outlook::new(&bed.state, &sights);
    outlook.target(outlook.shard(ShardId(shard)).unwrap(), NodeId(from), asked)
}

fn node(node: u64) -> Choice {
    Choice::Node(NodeId(node))
}

/// Shard 1 is on nodes 1 to 3, which have one zone each; what is given are those of nodes 4 and up.
fn zones(others: &[&str]) -> Bed {
    let mut bed = Bed::new(3, 1);
    let all = ["a", "b", "c"]
        .iter()
        .chain(others)
        .zip(1..)
        .map(|(zone, id)| place(id, zone));
    all.for_each(|place| _ = bed.join(place).unwrap());
    bed.up.extend((4..).map(NodeId).take(others.len()));
    bed
}

#[test]
fn zones_are_kept_apart() {
    for (others, expected) in [
        (&["b", "c", "a"] as &[&str], 6),
        (&["b", "d", "a"], 5),
        (&["b", ""], 5),
        (&["", "d"], 5),
        (&["b", "c"], 4),
        (&["", ""], 4),
    ] {
        assert_eq!(target(&zones(others), 1, 1, Asked::Now), node(expected), "{others:?}");
    }
}

#[test]
fn who_has_least_takes_it() {
    let mut bed = zones(&["", ""]);
    bed.learner(0, 4);
    assert_eq!(
        target(&bed, 1, 1, Asked::Now),
        node(5),
        "node 4 has one, as the leader says"
    );
    let mut bed = zones(&["", ""]);
    bed.start(moves(0, 1, 4)).unwrap();
    assert_eq!(target(&bed, 1, 1, Asked::Soon), node(5), "node 4 gets one");
    bed.learner(0, 4);
    bed.learner(0, 5);
    assert_eq!(
        target(&bed, 1, 1, Asked::Soon),
        node(4),
        "what has come is not counted twice"
    );
}

#[test]
fn nothing_goes_where_it_would_not_stay() {
    let mut bed = zones(&["d", "e", "f", "g", "b"]);
    bed.start(drain(4)).unwrap();
    let held = bed.start(maintenance(5, UnixMillis(BEGIN.0 + 9))).unwrap();
    bed.away(6, Some(BEGIN));
    bed.up.remove(&NodeId(7));
    assert_eq!(target(&bed, 1, 1, Asked::Now), node(8));
    bed.start(drain(8)).unwrap();
    assert_eq!(target(&bed, 1, 1, Asked::Now), Choice::Nobody);
    assert_eq!(target(&bed, 1, 1, Asked::InPrinciple), node(5));
    bed.end(held, Ending::Cancelled);
    assert_eq!(target(&bed, 1, 1, Asked::Now), node(5));
}

#[test]
fn who_is_busy_is_waited_for_rather_than_sharing_a_zone() {
    let mut bed = zones(&["d", "b", "d"]);
    bed.start(moves(0, 1, 4)).unwrap();
    assert_eq!(target(&bed, 1, 1, Asked::Now), node(6), "another one of that zone");
    bed.start(drain(6)).unwrap();
    assert_eq!(target(&bed, 1, 1, Asked::Now), Choice::Busy);
    assert_eq!(target(&bed, 1, 1, Asked::Soon), node(4));
}

#[test]
fn where_a_move_was_in_vain_is_tried_last() {
    for how in [Ending::Cancelled, Ending::Failed("no disk".to_owned())] {
        let mut bed = zones(&["d", "b", "b"]);
        let parent = bed.start(drain(1)).unwrap();
        for to in [4, 5] {
            assert_eq!(target(&bed, 1, 1, Asked::Now), node(to));
            let child = bed.child(moves(1, 1, to), parent).unwrap();
            bed.end(child, how.clone());
        }
        assert_eq!(target(&bed, 0, 1, Asked::Now), node(4), "another shard may go there");
        assert_eq!(target(&bed, 1, 1, Asked::Now), node(6));
        bed.up.remove(&NodeId(6));
        assert_eq!(target(&bed, 1, 1, Asked::Now), node(4), "nobody else is left");
    }
}

#[test]
fn a_move_whose_shard_has_no_leader_holds_no_target() {
    let mut bed = zones(&["d", "b"]);
    bed.start(moves(0, 1, 4)).unwrap();
    assert_eq!(target(&bed, 1, 1, Asked::Now), Choice::Busy);
    bed.reports.remove(&ShardId(0));
    assert_eq!(target(&bed, 1, 1, Asked::Now), node(4));
}

#[test]
fn a_move_that_was_interrupted_goes_on() {
    let mut bed = zones(&["d", "b"]);
    let new = bed.learner(1, 5);
    assert_eq!(target(&bed, 1, 1, Asked::Now), node(5), "it has begun");
    assert_eq!(
        target(&bed, 1, 5, Asked::Now),
        node(1),
        "what has no vote only has to go"
    );
    bed.start(drain(5)).unwrap();
    assert_eq!(target(&bed, 1, 1, Asked::Now), node(4), "but not to who is drained");
    let old = bed.member(1, 1).unwrap();
    let (promote, demote) = (vec![new], vec![old]);
    bed.change(1, ChangeKind::Replace { promote, demote });
    assert_eq!(target(&bed, 1, 1, Asked::Now), node(5), "the vote goes over");
    bed.change(1, ChangeKind::LeaveJoint);
    assert_eq!(target(&bed, 1, 1, Asked::Now), node(5), "the vote went over");
}

#[test]
fn the_metadata_move_last() {
    let bed = Bed::new(3, 3);
    let sights = bed.sights();
    let outlook = Outlook::new(&bed.state, &sights);
    assert_eq!(outlook.on(NodeId(1)), [1, 2, 3, 0].map(ShardId));
}
