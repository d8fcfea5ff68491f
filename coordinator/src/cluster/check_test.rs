//! Replicas that agree, differ, lag and are away.

use super::*;
use crate::cluster::testing::{Mood, cluster};

fn within(cluster: &Cluster) -> Monotonic {
    cluster.now().plus(Duration::from_secs(60))
}

fn shard(states: &[Option<State>]) -> ShardCheck {
    let replica = |(node, state): (u64, &Option<State>)| ReplicaCheck {
        node: NodeId(node),
        state: state.ok_or(ShardFailure::OutOfTime),
    };
    ShardCheck {
        shard: ShardId(1),
        replicas: (1..).zip(states).map(replica).collect(),
    }
}

#[test]
fn hashes_are_compared_at_one_index_only() {
    let at = |index, hash| Some((LogIndex(index), hash));
    let verdict = |states: &[Option<State>]| shard(states).verdict();
    assert_eq!(verdict(&[at(5, 7), at(5, 7), at(5, 7)]), Verdict::Equal);
    assert_eq!(verdict(&[at(5, 7), at(5, 8), at(5, 7)]), Verdict::Different);
    assert_eq!(verdict(&[at(5, 7), at(6, 9), at(5, 7)]), Verdict::Undecided);
    assert_eq!(verdict(&[at(5, 7), at(5, 7), None]), Verdict::Undecided);
    assert_eq!(
        verdict(&[at(5, 7), None, at(5, 8)]),
        Verdict::Different,
        "two of three are enough"
    );
    assert_eq!(verdict(&[at(6, 7), at(5, 7), at(6, 8)]), Verdict::Different);
    assert_eq!(verdict(&[None, None, None]), Verdict::Undecided);
}

#[actix::test]
async fn all_replicas_of_all_shards_are_asked_with_one_call_per_node() {
    let (cluster, world) = cluster();
    let checks = cluster.check(&[], within(&cluster)).await;
    assert_eq!(checks.len(), 8);
    assert!(
        checks
            .iter()
            .all(|check| check.replicas.len() == 3 && check.verdict() == Verdict::Equal)
    );
    assert_eq!(world.calls.lock().len(), 3);
}

#[actix::test]
async fn a_replica_that_holds_something_else_is_found() {
    let (cluster, world) = cluster();
    world.set(2, Mood::Differs(ShardId(4)));
    let checks = cluster.check(&[], within(&cluster)).await;
    for check in &checks {
        let wanted = if check.shard == ShardId(4) {
            Verdict::Different
        } else {
            Verdict::Equal
        };
        assert_eq!(check.verdict(), wanted, "{check:?}");
    }
    let hash = |replica: &ReplicaCheck| replica.state.as_ref().unwrap().1;
    let differing = &checks[3].replicas;
    assert_eq!(hash(&differing[0]), hash(&differing[2]));
    assert_ne!(hash(&differing[0]), hash(&differing[1]));
}

#[actix::test]
async fn a_replica_that_lags_is_asked_again_and_the_others_of_its_shard_too() {
    let (cluster, world) = cluster();
    world.set(3, Mood::LagsFor(2));
    let checks = cluster.check(&[ShardId(2), ShardId(5)], within(&cluster)).await;
    assert_eq!(checks.len(), 2);
    assert!(
        checks.iter().all(|check| check.verdict() == Verdict::Equal),
        "{checks:?}"
    );
    assert_eq!(world.calls.lock().len(), 9, "three looks at three nodes");
}

#[actix::test]
async fn a_node_that_is_away_leaves_its_shards_undecided_at_once() {
    let (cluster, world) = cluster();
    world.set(1, Mood::Down);
    let checks = cluster.check(&[ShardId(1)], within(&cluster)).await;
    assert_eq!(checks[0].verdict(), Verdict::Undecided);
    let silent: Vec<NodeId> = checks[0]
        .replicas
        .iter()
        .filter(|replica| replica.state.is_err())
        .map(|replica| replica.node)
        .collect();
    assert_eq!(silent, [NodeId(1)]);
    assert_eq!(world.calls.lock().len(), 3, "another look would not decide it");
}
