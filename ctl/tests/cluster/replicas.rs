//! What each node has, asked of the nodes themselves and not through the coordinator.

use std::collections::{BTreeMap, BTreeSet};

use covey_rpc::NodeClient;
use covey_shared::ids::{LogIndex, PostId, PostKey, ShardId, UserId};
use covey_shared::wire::{Class, GetPostsQuery, NodeStatus, ReplyBody, RequestBody, ShardError, ShardRead, ShardReply};

use crate::calls::post_json;
use crate::process::{binary, eventually, run_to_end, until};
use crate::world::{Cluster, SHARDS, ask, layout, status};

/// Keys in one call.
const PAGE: usize = 2_000;

/// Waits until all replicas of each shard have applied the same, with nothing left to deliver to other shards.
pub(crate) async fn until_level(nodes: &[NodeClient]) -> Vec<NodeStatus> {
    let mut before = false;
    eventually("level replicas", async || {
        let mut all = Vec::new();
        for node in nodes {
            all.push(status(node).await);
        }
        let replicas = || all.iter().flat_map(|status| &status.replicas);
        let mut applied: BTreeMap<ShardId, BTreeSet<LogIndex>> = BTreeMap::new();
        for replica in replicas() {
            applied.entry(replica.shard).or_default().insert(replica.applied);
        }
        let delivered = replicas().all(|replica| replica.outbox == 0);
        let level = delivered && applied.values().all(|indexes| indexes.len() == 1);
        // A status has its counts from before its indexes: they belong together from the second time on.
        match (std::mem::replace(&mut before, level), level) {
            (true, true) => Ok(all),
            _ => Err(format!("{applied:?}, outboxes empty: {delivered}")),
        }
    })
    .await
}

/// Asserts that every node has every post of `written` exactly once and no other post, and that the replicas of each
/// shard have one logical hash.
pub(crate) async fn assert_same_everywhere(nodes: &[NodeClient], written: &BTreeSet<PostKey>) {
    let states = until_level(nodes).await;
    for (node, state) in nodes.iter().zip(&states) {
        let posts: u64 = state.replicas.iter().map(|replica| replica.posts).sum();
        let rows: u64 = state.replicas.iter().map(|replica| replica.spaces[0].rows).sum();
        let wanted = written.len() as u64;
        assert_eq!(
            (posts, rows),
            (wanted, wanted),
            "posts and vectors of node {:?}",
            state.node
        );
        let found = posts_of(node, written).await;
        let lost: Vec<&PostKey> = written.iter().filter(|key| !found.contains_key(key)).take(5).collect();
        let twice: Vec<_> = found.iter().filter(|(_, times)| **times != 1).take(5).collect();
        assert!(
            lost.is_empty() && twice.is_empty(),
            "{:?} lost {lost:?}…, has twice {twice:?}…",
            state.node
        );
    }
    assert_one_hash(nodes).await;
}

/// What feeds served is recorded after the reply and may still be on its way: then it looks again at what has moved on.
async fn assert_one_hash(nodes: &[NodeClient]) {
    eventually("replicas at rest", async || {
        let mut states: BTreeMap<ShardId, BTreeMap<LogIndex, BTreeSet<u64>>> = BTreeMap::new();
        let (mut replies, mut moving) = (0, Vec::new());
        for node in nodes {
            for reply in logical_hashes(node).await {
                match reply.result {
                    Ok(hash) => {
                        replies += 1;
                        let indexes = states.entry(reply.about.shard).or_default();
                        indexes.entry(reply.about.applied).or_default().insert(hash);
                    }
                    // It applied something while it looked.
                    Err(error) => moving.push(error.to_string()),
                }
            }
        }
        let mut hashes = states.values().flat_map(BTreeMap::values);
        let differ = hashes.any(|hashes| hashes.len() > 1);
        assert!(!differ, "replicas differ at one index: {states:?}");
        let groups = layout().groups().count();
        let whole = states.len() == groups && replies == nodes.len() * groups;
        match whole && states.values().all(|indexes| indexes.len() == 1) {
            true => Ok(()),
            false => Err(format!("{states:?} {moving:?}")),
        }
    })
    .await;
}

/// What `covey shard check` ends with, and what the API says to the same question.
pub(crate) fn shard_check(cluster: &Cluster) -> (Option<i32>, String) {
    let server = format!("http://127.0.0.1:{}", cluster.grpc);
    let args = ["--server", &server, "shard", "check", "--deadline", "10s"].map(str::to_owned);
    let (status, _) = run_to_end(&binary("covey"), &args, &[]);
    let (_, body) = post_json(cluster.http, "/v1/shards:check", "{\"deadline_ms\": 10000}");
    (status.code(), body)
}

/// Until all replicas of all shards are found equal.
pub(crate) fn until_equal(cluster: &Cluster) {
    until("equal replicas", || match shard_check(cluster) {
        (Some(0), body) if body.matches("CHECK_VERDICT_EQUAL").count() == usize::from(SHARDS) => Ok(()),
        (code, body) => Err(format!("{code:?} {body}")),
    });
}

/// How often a node returns each of `keys`, of the shards that it has.
pub(crate) async fn posts_of(node: &NodeClient, keys: &BTreeSet<PostKey>) -> BTreeMap<PostKey, usize> {
    let shards: Vec<ShardRead> = layout()
        .shards
        .iter()
        .map(|plan| ShardRead::of(plan.shard, plan.epoch.range_ver))
        .collect();
    let keys: Vec<PostKey> = keys.iter().copied().collect();
    let mut found = BTreeMap::new();
    for page in keys.chunks(PAGE) {
        let query = GetPostsQuery {
            shards: shards.clone(),
            keys: page.to_vec(),
            with_vectors: false,
        };
        let ReplyBody::GetPosts(replies) = ask(node, Class::Query, RequestBody::GetPosts(query)).await else {
            panic!("another reply than asked for");
        };
        for reply in replies {
            match reply.result {
                Ok(views) => views
                    .iter()
                    .for_each(|view| *found.entry(view.post.key).or_insert(0) += 1),
                Err(ShardError::NotHere(_)) => {}
                Err(error) => panic!("{:?}: {error}", reply.about.shard),
            }
        }
    }
    found
}

async fn logical_hashes(node: &NodeClient) -> Vec<ShardReply<u64>> {
    let body = RequestBody::LogicalHash { shards: Vec::new() };
    match ask(node, Class::Admin, body).await {
        ReplyBody::LogicalHash(replies) => replies,
        other => panic!("another reply than asked for: {other:?}"),
    }
}

/// A key from raw numbers.
pub(crate) fn key(author: u64, post: u64) -> PostKey {
    PostKey {
        author: UserId(author),
        post: PostId(post),
    }
}
