//! The map of the shipped configuration, and what is known about leaders.

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
