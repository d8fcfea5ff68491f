//! Nodes come, change their address, and leave for good.

use super::*;
use crate::testing::{BEGIN, Bed, drain, moves, place};
use covey_shared::command::ItemResult;
use covey_shared::ids::{ShardId, UnixMillis};
use covey_shared::metadata::{Ending, MetadataChange};

fn register(bed: &mut Bed, places: Vec<NodePlace>) {
    bed.apply(MetadataChange::Register(places));
}

fn invalid(outcome: &Result<covey_shared::ids::OperationId, OperationFault>) -> bool {
    matches!(outcome, Err(OperationFault::Invalid(_)))
}

#[test]
fn only_nodes_that_make_sense_are_taken_in() {
    let long = "x".repeat(MAX_TEXT + 1);
    let listening = |listen: &str| NodePlace {
        listen: listen.to_owned(),
        ..place(9, "")
    };
    for (wanted, expected) in [
        (place(9, ""), true),
        (place((1 << 16) - 1, ""), true),
        (place(1 << 16, ""), false),
        (place(0, ""), false),
        (place(9, &long), false),
        (place(9, &long[1..]), true),
        (listening(""), false),
        (listening("a:1\x1b[2J"), false),
        (place(9, "z\n"), false),
        (listening(&long), false),
        (listening(&long[1..]), true),
    ] {
        let mut bed = Bed::new(3, 1);
        assert_eq!(bed.state.lacks_place(&wanted), expected, "{wanted:?}");
        register(&mut bed, vec![wanted.clone(), place(10, "")]);
        assert_eq!(bed.state.nodes.contains_key(&wanted.node), expected, "{wanted:?}");
        assert!(bed.state.nodes.contains_key(&NodeId(10)), "the others are");
        assert!(!bed.state.lacks_place(&wanted));
        let mut bed = Bed::new(3, 1);
        let joined = bed.announce(wanted.clone());
        assert_eq!((joined.is_ok(), invalid(&joined)), (expected, !expected), "{wanted:?}");
    }
}

/// A cluster begins: a node says where it is before the leader has registered those that are configured.
#[test]
fn a_list_without_nodes_that_are_configured_is_told_to_nobody() {
    let configured: Vec<NodePlace> = (1..=100).map(|node| place(node, "")).collect();
    let mut bed = Bed::of(1, 1, 1);
    assert!(bed.announce(place(7, "")).is_ok());
    assert_eq!(bed.state.whole_directory(&configured), None);
    for some in configured.chunks(64) {
        assert_eq!(bed.state.whole_directory(&configured), None);
        register(&mut bed, some.to_vec());
    }
    let whole = bed.state.whole_directory(&configured).expect("all are known");
    assert_eq!(whole.nodes.len(), 100);
    // One that is gone for good is not waited for.
    bed.state.nodes.remove(&NodeId(5));
    bed.state.removed.insert(NodeId(5));
    assert!(bed.state.whole_directory(&configured).is_some());
}

#[test]
fn a_configuration_brings_new_nodes_and_changes_none() {
    let mut bed = Bed::new(3, 1);
    let before = bed.state.directory();
    register(&mut bed, vec![place(2, "z")]);
    assert_eq!(bed.state.directory(), before);
    register(&mut bed, vec![place(2, "z"), place(4, "z")]);
    let after = bed.state.directory();
    assert!(after.version > before.version);
    assert_eq!(after.get(NodeId(2)), Some(&place(2, "")));
    assert_eq!(after.get(NodeId(4)), Some(&place(4, "z")));
}

#[test]
fn a_node_that_joins_again_changes_only_where_it_is() {
    let mut bed = Bed::new(3, 1);
    bed.announce(place(4, "a")).unwrap();
    bed.away(4, Some(BEGIN));
    let before = (bed.state.clone(), bed.audit.len());
    let by = "node".to_owned();
    let again = MetadataChange::Join {
        place: place(4, "a"),
        by,
    };
    assert_eq!(bed.apply(again), ItemResult::Ok);
    assert_eq!((bed.state.clone(), bed.audit.len()), before, "nothing to note");
    bed.announce(place(4, "b")).unwrap();
    assert_eq!(bed.state.nodes[&NodeId(4)].away_since, Some(BEGIN));
    assert_eq!(bed.state.directory().get(NodeId(4)), Some(&place(4, "b")));
    assert!(bed.state.directory().version > before.0.directory);
    let stolen = NodePlace {
        node: NodeId(5),
        ..place(4, "")
    };
    let lines = bed.audit.len();
    assert!(invalid(&bed.announce(stolen)));
    assert_eq!(bed.audit.len(), lines, "what nodes try in vain is not noted each time");
}

#[test]
fn a_node_leaves_once_it_is_empty_and_never_comes_back() {
    let mut bed = Bed::new(4, 1);
    bed.announce(place(5, "")).unwrap();
    assert_eq!(bed.remove(9), Err(OperationFault::UnknownNode(NodeId(9))));
    let not_empty = |replicas| {
        let node = NodeId(2);
        Err(OperationFault::NotEmpty { node, replicas })
    };
    assert_eq!(bed.remove(2), not_empty(2), "a shard and the metadata");
    let drains = bed.start(drain(5)).unwrap();
    assert_eq!(bed.remove(5), Err(OperationFault::Conflict(drains)));
    bed.end(drains, Ending::Done);
    let comes = bed.start(moves(1, 2, 4)).unwrap();
    assert_eq!(bed.remove(4), Err(OperationFault::Conflict(comes)));
    let before = bed.state.directory().version;
    bed.remove(5).unwrap();
    assert!(bed.state.directory().version > before);
    assert_eq!(bed.state.directory().get(NodeId(5)), None);
    assert!(!bed.state.nodes.contains_key(&NodeId(5)));
    // Not by itself, and not by an old configuration.
    assert_eq!(bed.announce(place(5, "")), Err(OperationFault::Removed(NodeId(5))));
    register(&mut bed, vec![place(5, "")]);
    assert!(!bed.state.nodes.contains_key(&NodeId(5)) && !bed.state.lacks_place(&place(5, "")));
    assert_eq!(bed.remove(5), Err(OperationFault::UnknownNode(NodeId(5))));
    assert_eq!(bed.start(moves(1, 2, 5)), Err(OperationFault::UnknownNode(NodeId(5))));
    // Its address is free.
    let heir = NodePlace {
        node: NodeId(6),
        ..place(5, "")
    };
    bed.announce(heir).unwrap();
}

#[test]
fn a_node_leaves_only_if_all_shards_are_known() {
    let mut bed = Bed::new(4, 2);
    bed.announce(place(5, "")).unwrap();
    bed.state.shards.remove(&ShardId(2));
    assert_eq!(bed.remove(5), Err(OperationFault::NotYetKnown));
}

#[test]
fn so_many_nodes_are_kept() {
    let mut bed = Bed::new(3, 1);
    let nodes = (1..=MAX_NODES as u64 + 5).map(|node| place(node, "")).collect();
    register(&mut bed, nodes);
    assert_eq!(bed.state.nodes.len(), MAX_NODES);
    assert!(bed.state.nodes.contains_key(&NodeId(MAX_NODES as u64)));
    assert!(invalid(&bed.announce(place(MAX_NODES as u64 + 1, ""))));
    bed.announce(place(2, "z")).unwrap();
    assert_eq!(bed.state.nodes[&NodeId(2)].place.zone, "z", "who is known may change");
    assert_eq!(bed.now, UnixMillis(BEGIN.0));
}
