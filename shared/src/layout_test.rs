//! Every slot has exactly one owner and replicas spread evenly.

use super::*;
use crate::slots::SLOTS;

fn nodes(n: u64) -> Vec<NodeId> {
    (1..=n).map(NodeId).collect()
}

#[test]
fn every_slot_has_one_owner() {
    for shards in [1, 3, 8, 100] {
        let layout = Layout::fixed(shards, 3, &nodes(3));
        for slot in 0..SLOTS {
            let owners = layout.shards.iter().filter(|s| s.slots.contains(Slot(slot))).count();
            assert_eq!(owners, 1);
            assert!(layout.owner(Slot(slot)).slots.contains(Slot(slot)));
        }
    }
}

#[test]
fn replicas_live_on_distinct_nodes_and_leaders_spread() {
    let layout = Layout::fixed(8, 3, &nodes(5));
    for shard in &layout.shards {
        let mut places: Vec<_> = shard.voters.iter().map(|p| p.node).collect();
        places.dedup();
        assert_eq!(places.len(), 3);
    }
    let leads = |n: u64| layout.shards.iter().filter(|s| s.voters[0].node == NodeId(n)).count();
    assert!((1..=5).all(|n| (1..=2).contains(&leads(n))));
}

#[test]
fn replica_ids_are_unique() {
    let layout = Layout::fixed(64, 3, &nodes(7));
    let mut ids: Vec<_> = layout
        .shards
        .iter()
        .flat_map(|s| s.voters.iter().map(|p| p.replica))
        .collect();
    ids.sort();
    let all = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[test]
fn the_metadata_is_a_group_of_its_own_on_the_first_nodes_or_on_named_ones() {
    let keepers = |layout: &Layout| layout.metadata.voters.iter().map(|p| p.node.0).collect::<Vec<_>>();
    assert_eq!(keepers(&Layout::fixed(8, 3, &nodes(5))), [1, 2, 3]);
    assert_eq!(keepers(&Layout::fixed(8, 1, &nodes(2))), [1]);
    let layout = Layout::fixed(8, 3, &nodes(5)).with_metadata_on(&[NodeId(4)]);
    assert_eq!(keepers(&layout), [4]);
    assert_eq!(layout.shard(ShardId::METADATA), Some(&layout.metadata));
    assert_eq!((layout.groups().count(), layout.shards.len()), (9, 8));
    assert_eq!(layout.metadata.slots.count(), 0);
}
