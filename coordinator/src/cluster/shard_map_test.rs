//! The map of the shipped configuration, and what is known about leaders.

use covey_shared::members::{ChangeKind, MemberChange};

use super::*;

#[test]
fn every_user_has_one_owner_with_the_wanted_replicas() {
    let map = ShardMap::from_config(&Config::default());
    assert_eq!(map.shards().len(), 8);
    for user in 0..2000 {
        let plan = map.owner(UserId(user));
        assert!(plan.slots.contains(Slot::of(UserId(user))));
        assert_eq!(plan.voters.len(), 3);
        assert_eq!(map.slots(plan.shard), Some(plan.slots));
    }
}

#[test]
fn leader_is_the_preferred_one_until_another_is_learned_and_again_when_that_is_forgotten() {
    let map = ShardMap::from_config(&Config::default());
    let plan = &map.shards()[0];
    let preferred = plan.voters[0].node;
    let other = plan.voters[1].node;
    let leaders = Leaders::default();
    assert_eq!(leaders.of(plan), Some(preferred));
    leaders.learn(plan.shard, other);
    assert_eq!(leaders.of(plan), Some(other));
    leaders.forget(plan.shard, preferred);
    assert_eq!(leaders.of(plan), Some(other), "only the named node is forgotten");
    leaders.forget(plan.shard, other);
    assert_eq!(leaders.of(plan), Some(preferred));
}

#[test]
fn who_was_left_behind_by_a_recovery_is_not_taken_for_a_leader() {
    let cell = MapCell::new(ShardMap::from_config(&Config::default()));
    let old = ShardDescriptor::founding(&cell.load().shards()[0]);
    let (keep, other) = (old.members.voters[0], old.members.voters[1]);
    assert!(cell.load().may_lead(&old, other.node()));
    let mut new = old.clone();
    new.change(&old.recover(keep, 0)).unwrap();
    cell.learn(&new);
    let map = cell.load();
    assert!(!map.may_lead(&old, other.node()) && map.may_lead(&new, keep.node()) && map.may_lead(&old, keep.node()));
}

#[test]
fn the_metadata_moves_like_a_shard_and_owns_nothing() {
    let cell = MapCell::new(ShardMap::from_config(&Config::default()));
    let mut newer = ShardDescriptor::founding(cell.load().shard(ShardId::METADATA).unwrap());
    newer.change(&newer.add_learner(NodeId(4))).unwrap();
    newer.members.voters.remove(0);
    cell.learn(&newer);
    let map = cell.load();
    let plan = map.shard(ShardId::METADATA).unwrap();
    assert_eq!((map.version(), plan.epoch, plan.voters.len()), (2, newer.epoch, 2));
    assert_eq!((map.shards().len(), map.groups().count()), (8, 9));
    assert!(map.shards().iter().all(|plan| plan.shard != ShardId::METADATA));
}

#[test]
fn only_what_is_newer_of_the_same_slots_changes_the_map() {
    let cell = MapCell::new(ShardMap::from_config(&Config::default()));
    let founding = ShardDescriptor::founding(&cell.load().shards()[0]);
    let mut newer = founding.clone();
    newer.change(&newer.add_learner(NodeId(4))).unwrap();
    let (promote, demote) = (newer.members.learners.clone(), vec![newer.members.voters[0]]);
    let kind = ChangeKind::Replace { promote, demote };
    newer.change(&MemberChange { expected: 2, kind }).unwrap();
    cell.learn(&newer);
    let learned = cell.load();
    let nodes = |map: &ShardMap| {
        map.shards()[0]
            .voters
            .iter()
            .map(|voter| voter.node.0)
            .collect::<Vec<_>>()
    };
    assert_eq!((learned.version(), nodes(&learned)), (2, vec![2, 3, 4]));
    let with = |change: fn(&mut ShardDescriptor)| {
        let mut other = newer.clone();
        other.epoch.conf_ver += 1;
        change(&mut other);
        other
    };
    let others = [
        founding,
        newer.clone(),
        with(|other| other.slots.end -= 1),
        with(|other| other.epoch.range_ver += 1),
        with(|other| other.members.voters.clear()),
        with(|other| other.shard = ShardId(99)),
    ];
    for other in others {
        cell.learn(&other);
        assert_eq!(cell.load().version(), 2, "{other:?}");
    }
}
