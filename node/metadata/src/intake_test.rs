//! What makes no sense changes nothing, and what is kept has a bound.

use super::*;
use crate::testing::Bed;
use covey_shared::ids::{NodeId, ShardEpoch};
use covey_shared::members::Members;
use covey_shared::metadata::MetadataChange;
use covey_shared::slots::SlotRange;

fn id(born: u64, shard: u64, node: u64) -> ReplicaId {
    ReplicaId::new(born, ShardId(shard), NodeId(node))
}

fn shard(shard: u64, conf_ver: u64, members: Members) -> ShardDescriptor {
    ShardDescriptor {
        shard: ShardId(shard),
        slots: SlotRange::NONE,
        epoch: ShardEpoch { range_ver: 1, conf_ver },
        members,
    }
}

fn observe(bed: &mut Bed, descriptor: &ShardDescriptor) {
    let lacks = bed.state.lacks(descriptor);
    let before = bed.state.clone();
    bed.apply(MetadataChange::Observe(vec![descriptor.clone()]));
    assert_eq!(bed.state != before, lacks, "{descriptor:?}");
}

#[test]
fn only_shards_that_make_sense_are_taken_in() {
    let one = || Members::of([id(0, 8, 1)]);
    let full = |more: u64| Members::of((1..=MAX_MEMBERS as u64 + more).map(|node| id(0, 8, node)));
    let learners = |learners| Members { learners, ..one() };
    let next = |learners_next| Members { learners_next, ..one() };
    let last = id((1 << 22) - 1, 8, (1 << 16) - 1);
    for (descriptor, expected) in [
        (shard(8, 1, one()), true),
        (shard(8, (1 << 22) - 1, learners(vec![last])), true),
        (shard(8, 1 << 22, one()), false),
        (shard(8, u64::MAX, one()), false),
        (shard(8, 1, Members::default()), false),
        (shard(8, 1, full(0)), true),
        (shard(8, 1, full(1)), false),
        (shard(8, 1, learners(vec![id(2, 8, 9); MAX_MEMBERS + 1])), false),
        (shard(8, 1, learners(vec![id(2, 7, 2)])), false),
        (shard(8, 1, learners(vec![ReplicaId(8 << 16)])), false),
        (shard(8, 1, next(vec![id(2, 7, 2)])), false),
        (shard(9, 1, one()), false),
        (shard(8 + (1 << 26), 1, one()), false),
    ] {
        let mut bed = Bed::new(3, 1);
        observe(&mut bed, &descriptor);
        assert_eq!(
            bed.state.shards.get(&descriptor.shard) == Some(&descriptor),
            expected,
            "{descriptor:?}"
        );
        // Nor does it take the place of what is known.
        let mut bed = Bed::new(3, 1);
        let known = shard(
            descriptor.shard.0,
            0,
            Members::of([ReplicaId::new(0, ShardId(8), NodeId(1))]),
        );
        if descriptor.shard == ShardId(8) {
            observe(&mut bed, &known);
            observe(&mut bed, &descriptor);
            assert_eq!(bed.state.shards[&ShardId(8)] == descriptor, expected, "{descriptor:?}");
        }
    }
}

#[test]
fn so_many_shards_are_kept() {
    let mut bed = Bed::new(3, 1);
    let of = |number, conf_ver| shard(number, conf_ver, Members::of([id(0, number, 1)]));
    let shards = (10..).take(MAX_SHARDS).map(|number| of(number, 1)).collect();
    bed.apply(MetadataChange::Observe(shards));
    assert_eq!(bed.state.shards.len(), MAX_SHARDS);
    bed.apply(MetadataChange::Observe(vec![of(10, 2)]));
    assert_eq!(bed.state.shards[&ShardId(10)].epoch.conf_ver, 2);
}
