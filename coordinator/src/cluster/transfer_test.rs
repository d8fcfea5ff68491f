//! The leader is found and asked, whoever was thought to lead.

use std::time::Duration;

use covey_shared::wire::TransferFault;

use super::*;
use crate::cluster::testing::{Mood, cluster};

const SHARD: ShardId = ShardId(1);

fn soon(cluster: &Cluster) -> Monotonic {
    cluster.now().plus(Duration::from_secs(2))
}

#[actix::test]
async fn the_leader_is_found_by_hints_and_the_next_one_is_remembered() {
    let (cluster, world) = cluster();
    world.leaders.lock().insert(SHARD, NodeId(3));
    let done = cluster.transfer_leader(SHARD, NodeId(2), soon(&cluster)).await.unwrap();
    let (from, term) = (NodeId(3), Term(2));
    assert_eq!(done, Transferred { from, term });
    assert_eq!(world.leaders.lock()[&SHARD], NodeId(2));
    world.calls.lock().clear();
    let again = cluster.transfer_leader(SHARD, NodeId(2), soon(&cluster)).await.unwrap();
    assert_eq!(again.from, NodeId(2), "it led already");
    assert_eq!(world.calls.lock().len(), 1, "who leads was remembered");
}

#[actix::test]
async fn a_refusal_of_the_leader_is_passed_on_and_silence_ends_with_the_deadline() {
    let (cluster, world) = cluster();
    world.set(2, Mood::Down);
    let refused = cluster.transfer_leader(SHARD, NodeId(2), soon(&cluster)).await;
    let declined = ShardError::Transfer(TransferFault::Declined);
    assert!(matches!(refused, Err(ShardFailure::Shard(error)) if error == declined));
    (1..=3).for_each(|node| world.set(node, Mood::Down));
    let silent = cluster.transfer_leader(SHARD, NodeId(2), soon(&cluster)).await;
    assert!(matches!(silent, Err(ShardFailure::Call(_))), "{silent:?}");
}
