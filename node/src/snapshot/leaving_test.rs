//! What proves that a replica is no member of its shard any more.

use covey_shared::ids::{NodeId, ShardId};
use covey_shared::layout::Layout;
use covey_shared::members::{ChangeKind, MemberChange, Members};

use super::*;

fn founded() -> ShardDescriptor {
    let nodes: Vec<NodeId> = (1..=3).map(NodeId).collect();
    ShardDescriptor::founding(&Layout::fixed(1, 3, &nodes).shards[0])
}

fn changed(from: &ShardDescriptor, kind: ChangeKind) -> ShardDescriptor {
    let mut descriptor = from.clone();
    let expected = from.epoch.conf_ver;
    descriptor.change(&MemberChange { expected, kind }).unwrap();
    descriptor
}

#[test]
fn a_state_behind_the_end_of_a_replica_shows_it_gone_and_one_before_its_birth_does_not() {
    let before = founded();
    let new = ReplicaId::new(before.epoch.conf_ver + 1, ShardId(1), NodeId(4));
    let there = changed(&before, ChangeKind::AddLearner(new));
    let after = changed(&there, ChangeKind::Remove(new));
    assert!(!shows_gone(&before, new));
    assert!(!shows_gone(&there, new));
    assert!(shows_gone(&after, new));
    let again = changed(&after, after.add_learner(NodeId(4)).kind);
    assert!(shows_gone(&again, new));
}

#[test]
fn who_knows_no_members_shows_nobody_gone() {
    let mut unknown = founded();
    (unknown.members, unknown.epoch.conf_ver) = (Members::default(), 0);
    for born in [0, 2] {
        assert!(!shows_gone(&unknown, ReplicaId::new(born, ShardId(1), NodeId(2))));
    }
}
