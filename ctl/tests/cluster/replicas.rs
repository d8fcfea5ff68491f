//! What each node has, asked of the nodes themselves and not through the coordinator.

use std::collections::{BTreeMap, BTreeSet};

use covey_rpc::NodeClient;
use covey_shared::ids::{LogIndex, PostId, PostKey, ShardId, UserId};
use covey_shared::wire::{Class, GetPostsQuery, NodeStatus, ReplyBody, RequestBody, ShardError, ShardRead};

use crate::calls::post_json;
use crate::process::{SOON, binary, run_to_end};
use crate::world::{Cluster, ask, layout, status};

/// Keys in one call.
const PAGE: usize = 2_000;

/// Waits until all replicas of each shard have applied the same, with nothing left to deliver to other shards.
pub(crate) async fn until_level(nodes: &[NodeClient]) -> Vec<NodeStatus> {
    let since = std::time::Instant::now();
    loop {
        let mut all = Vec::new();
        for node in nodes {
            all.push(status(node).await);
        }
        let mut applied: BTreeMap<ShardId, BTreeSet<LogIndex>> = BTreeMap::new();
        for replica in all.iter().flat_map(|status| &status.replicas) {
            applied.entry(replica.shard).or_default().insert(replica.applied);
        }
        let delivered = all
            .iter()
            .flat_map(|status| &status.replicas)
            .all(|replica| replica.outbox == 0);
        if delivered && applied.values().all(|indexes| indexes.len() == 1) {
            return all;
        }
        assert!(
            since.elapsed() < SOON,
            "the replicas did not become level: {applied:?}, outboxes empty: {delivered}"
        );
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
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
    let since = std::time::Instant::now();
    loop {
        let mut states: BTreeMap<ShardId, BTreeMap<LogIndex, BTreeSet<u64>>> = BTreeMap::new();
        let mut replies = 0;
        for node in nodes {
            for (shard, (index, hash)) in logical_hashes(node).await {
                replies += 1;
                states.entry(shard).or_default().entry(index).or_default().insert(hash);
            }
        }
        assert_eq!(states.len(), layout().groups().count());
        let differ = states
            .values()
            .flat_map(BTreeMap::values)
            .any(|hashes| hashes.len() > 1);
        assert!(!differ, "replicas differ at one index: {states:?}");
        if states.values().all(|indexes| indexes.len() == 1) {
            assert_eq!(replies, nodes.len() * layout().groups().count());
            return;
        }
        assert!(since.elapsed() < SOON, "the replicas do not come to rest: {states:?}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// What `covey shard check` ends with, and what the API says to the same question.
pub(crate) fn shard_check(cluster: &Cluster) -> (Option<i32>, String) {
    let server = format!("http://127.0.0.1:{}", cluster.grpc);
    let args = ["--server", &server, "shard", "check", "--deadline", "10s"].map(str::to_owned);
    let (status, _) = run_to_end(&binary("covey"), &args, &[]);
    let (code, body) = post_json(cluster.http, "/v1/shards:check", "{\"deadline_ms\": 10000}");
    assert_eq!(code, 200, "{body}");
    (status.code(), body)
}

/// How often a node returns each of `keys`, of the shards that it has.
pub(crate) async fn posts_of(node: &NodeClient, keys: &BTreeSet<PostKey>) -> BTreeMap<PostKey, usize> {
    let shards: Vec<ShardRead> = layout()
        .shards
        .iter()
        .map(|plan| ShardRead {
            shard: plan.shard,
            range_ver: plan.epoch.range_ver,
            min_index: LogIndex(0),
        })
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
                Err(error) => panic!("{:?}: {error}", reply.shard),
            }
        }
    }
    found
}

async fn logical_hashes(node: &NodeClient) -> Vec<(ShardId, (LogIndex, u64))> {
    let body = RequestBody::LogicalHash { shards: Vec::new() };
    let ReplyBody::LogicalHash(replies) = ask(node, Class::Admin, body).await else {
        panic!("another reply than asked for");
    };
    let hash = |reply: covey_shared::wire::ShardReply<u64>| {
        (reply.shard, (reply.applied, reply.result.expect("the replica answers")))
    };
    replies.into_iter().map(hash).collect()
}

/// A key from raw numbers.
pub(crate) fn key(author: u64, post: u64) -> PostKey {
    PostKey {
        author: UserId(author),
        post: PostId(post),
    }
}
