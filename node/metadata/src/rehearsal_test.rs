//! What would be done, and what it would meet.

use covey_shared::ids::{NodeId, ShardId, UnixMillis};
use covey_shared::metadata::{Operation, OperationFault};

use crate::testing::{BEGIN, Bed, add, drain, maintenance, moves, repair};

#[test]
fn a_drain_shows_its_moves_in_balance() {
    let bed = Bed::new(5, 2);
    // Of who has none of the shard, node 5 has no replica at first, and node 4 one.
    let expected = [drain(2), moves(1, 2, 5), moves(2, 2, 5), moves(0, 2, 4)];
    assert_eq!(bed.state.rehearse(drain(2), &bed.sights()), Ok(expected.to_vec()));
    assert!(bed.state.operations.is_empty());
}

#[test]
fn a_repair_shows_its_moves_even_before_its_targets_are_up() {
    let mut bed = Bed::new(4, 1);
    bed.away(1, Some(BEGIN));
    bed.up.remove(&NodeId(4));
    let expected = [repair(1), moves(1, 1, 4), moves(0, 1, 4)];
    assert_eq!(bed.state.rehearse(repair(1), &bed.sights()), Ok(expected.to_vec()));
}

#[test]
fn a_new_node_shows_what_it_gets() {
    let mut bed = Bed::new(4, 4);
    bed.join(5, "");
    // 12 replicas on 5 nodes: 2 for each at least.
    let expected = [add(5), moves(1, 2, 5), moves(2, 3, 5)];
    assert_eq!(bed.state.rehearse(add(5), &bed.sights()), Ok(expected.to_vec()));
    assert_eq!(
        bed.state.rehearse(add(1), &bed.sights()),
        Ok(vec![add(1)]),
        "it has its share"
    );
}

#[test]
fn others_show_themselves() {
    let bed = Bed::new(4, 1);
    let (shard, to) = (ShardId(1), NodeId(2));
    let transfer = Operation::TransferLeader { shard, to };
    for what in [moves(1, 1, 4), transfer, maintenance(1, UnixMillis(BEGIN.0 + 9))] {
        assert_eq!(bed.state.rehearse(what, &bed.sights()), Ok(vec![what]));
    }
}

#[test]
fn what_would_be_refused_is_refused() {
    let bed = Bed::new(3, 1);
    let (shard, left, needed) = (ShardId(0), 2, 3);
    let no_room = OperationFault::NoRoom { shard, left, needed };
    assert_eq!(bed.state.rehearse(drain(2), &bed.sights()), Err(no_room));
    assert_eq!(
        bed.state.rehearse(repair(2), &bed.sights()),
        Err(OperationFault::NotAway(NodeId(2)))
    );
    let mut bed = Bed::new(4, 1);
    bed.away(2, Some(BEGIN));
    bed.hear(1, 2, true);
    let heard = bed.state.rehearse(repair(2), &bed.sights());
    assert_eq!(heard, Err(OperationFault::NotAway(NodeId(2))), "a leader hears of it");
}
