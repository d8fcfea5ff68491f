//! Every shard is asked of the node that leads it, and a shard that nobody leads is named.

use std::time::Duration;

use covey_shared::session::SessionToken;

use super::*;
use crate::cluster::testing::{Mood, cluster};

async fn fence(cluster: &Cluster, time: Duration) -> Result<SessionToken, Vec<ShardId>> {
    cluster.fence(cluster.all_shards(), cluster.now().plus(time)).await
}

#[actix_rt::test]
async fn all_shards_are_covered_with_one_call_to_each_leader() {
    let (cluster, world) = cluster();
    *world.index.lock() = 41;
    let token = fence(&cluster, Duration::from_secs(5)).await.expect("all lead");
    for shard in 1..=8 {
        assert_eq!(token.min_index(ShardId(shard)), LogIndex(41));
    }
    assert_eq!(world.calls.lock().len(), 3);
}

#[actix_rt::test]
async fn a_leader_is_followed_to_where_it_went() {
    let (cluster, world) = cluster();
    world.leaders.lock().insert(ShardId(1), NodeId(3));
    *world.index.lock() = 7;
    let token = fence(&cluster, Duration::from_secs(5)).await.expect("all lead");
    assert_eq!(token.min_index(ShardId(1)), LogIndex(7));
}

#[actix_rt::test]
async fn shards_that_nobody_leads_are_named() {
    let (cluster, world) = cluster();
    world.set(2, Mood::Down);
    let missing = fence(&cluster, Duration::from_millis(200))
        .await
        .expect_err("node 2 leads some");
    assert_eq!(missing, [ShardId(2), ShardId(5), ShardId(8)]);
}

#[actix_rt::test]
async fn shards_that_are_not_read_need_no_leader() {
    let (cluster, world) = cluster();
    world.set(2, Mood::Down);
    let deadline = cluster.now().plus(Duration::from_secs(5));
    let token = cluster.fence(vec![ShardId(1)], deadline).await;
    assert!(token.is_ok_and(|token| token.min_index(ShardId(2)) == LogIndex(0)));
    assert_eq!(world.calls.lock().len(), 1);
}
