//! Replicas move to other nodes while writes and feeds go on: nothing is lost, nothing is left behind, and a restart finds
//! everything where it went. The node that fetches is killed on the way, once.

use std::collections::BTreeMap;
use std::time::Instant;

use covey_rpc::NodeClient;
use covey_shared::ids::{NodeId, PostKey, ShardId};
use covey_shared::wire::{NodeStatus, RebuildPhase};

use crate::load::Load;
use crate::process::{Process, eventually};
use crate::replicas::{posts_of, until_equal, until_level};
use crate::world::{Cluster, NODES, SHARDS, patiently, status};

/// Sealed segments in the snapshots, and transfers that take a while.
const SETTINGS: &str =
    "[ann]\nseal_rows = 512\nmin_train_rows = 512\nmerge_factor = 3\nmaintenance_interval = \"200ms\"\n
[raft]\nwal_segment = \"4MiB\"\nsnapshot_rate = \"1MiB\"\n";
/// One more than there are replicas of a shard.
const MACHINES: usize = NODES + 1;
/// Posts before the first move.
const POSTS: usize = 6_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_move_under_load_and_a_restart_finds_them() {
    let mut cluster = tokio::task::block_in_place(|| Cluster::with(MACHINES, "moves", SETTINGS));
    let nodes = cluster.node_clients();
    let mut load = Load::start(cluster.grpc).await;
    load.until_acknowledged(POSTS).await;
    let mut took = Vec::new();
    for shard in 1..=u64::from(SHARDS) {
        let began = Instant::now();
        let (from, to) = from_and_to(&nodes, shard).await;
        let moving = moving(&cluster, shard, (from, to));
        if shard == 2 {
            kill_while_it_fetches(&mut cluster.nodes[to - 1], &nodes[to - 1], shard).await;
        }
        let (code, said) = moving.await.expect("the command runs");
        assert_eq!(code, Some(0), "{said}");
        took.push(began.elapsed());
        assert_gone(&cluster, &nodes, from, shard).await;
    }
    assert_refusals(&cluster, &nodes).await;
    let history = load.finish().await;
    println!("moves: {took:.1?}; {}", history.summary());
    assert_eq!(history.broken_feeds(), [], "feeds while replicas moved");
    let posts = history.posts();
    assert_each_post_is_there(&nodes, &posts).await;
    cluster.nodes.iter_mut().for_each(Process::kill);
    cluster.nodes.iter_mut().for_each(Process::start);
    tokio::task::block_in_place(|| cluster.wait_until_healthy());
    assert_each_post_is_there(&nodes, &posts).await;
    tokio::task::block_in_place(|| until_equal(&cluster));
    cluster.assert_no_panic();
}

/// A node that has a replica, and the one that has none.
async fn from_and_to(nodes: &[NodeClient], shard: u64) -> (usize, usize) {
    let mut has = Vec::new();
    for node in nodes {
        let replicas = status(node).await.replicas;
        has.push(replicas.iter().any(|replica| replica.shard == ShardId(shard)));
    }
    let first = |wanted: bool| {
        has.iter()
            .position(|has| *has == wanted)
            .expect("three of four have one")
            + 1
    };
    (first(true), first(false))
}

type Said = tokio::task::JoinHandle<(Option<i32>, String)>;

/// Stays until its end.
fn moving(cluster: &Cluster, shard: u64, (from, to): (usize, usize)) -> Said {
    let words = format!("shard move {shard} --from {from} --to {to} --watch");
    let args = cluster.words(&words);
    tokio::task::spawn_blocking(move || patiently(&args))
}

async fn kill_while_it_fetches(process: &mut Process, node: &NodeClient, shard: u64) {
    eventually("the fetch of a replica", async || {
        let NodeStatus { rebuilds, replicas, .. } = status(node).await;
        let fetches = |phase| phase == RebuildPhase::Fetching || phase == RebuildPhase::Installing;
        let fetched = rebuilds.iter().any(|r| r.shard == ShardId(shard) && fetches(r.phase));
        // It may have come between two looks.
        let here = replicas.iter().any(|replica| replica.shard == ShardId(shard));
        if fetched || here {
            Ok(())
        } else {
            Err(format!("{rebuilds:?}"))
        }
    })
    .await;
    process.kill();
    process.start();
}

/// Neither the node nor its disk has anything of the shard.
async fn assert_gone(cluster: &Cluster, nodes: &[NodeClient], node: usize, shard: u64) {
    let dir = cluster.dir.join(format!("data/node-{node}"));
    let prefix = format!("shard-{shard:04}.");
    eventually("the end of a replica", async || {
        let replicas = status(&nodes[node - 1]).await.replicas;
        let here = replicas.iter().any(|replica| replica.shard == ShardId(shard));
        let entries = std::fs::read_dir(&dir).expect("a node has a directory");
        let left: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.starts_with(&prefix))
            .collect();
        match !here && left.is_empty() {
            true => Ok(()),
            false => Err(format!("of shard {shard} node {node} still has {left:?}")),
        }
    })
    .await;
}

/// What cannot be is refused, and nothing has changed.
async fn assert_refusals(cluster: &Cluster, nodes: &[NodeClient]) {
    let (has, free) = from_and_to(nodes, 1).await;
    for (shard, way, words) in [
        (1, (free, has), "has no replica of shard 1 with a vote"),
        (1, (has, has), "already has a replica"),
        (99, (1, 2), "there is no shard 99"),
        (1, (1, 9), "there is no node 9"),
    ] {
        let (code, said) = moving(cluster, shard, way).await.expect("the command runs");
        assert!(code == Some(2) && said.contains(words), "{way:?}: {said}");
    }
    assert_eq!(from_and_to(nodes, 1).await, (has, free));
}

/// On three nodes each.
pub(crate) async fn assert_each_post_is_there(nodes: &[NodeClient], posts: &std::collections::BTreeSet<PostKey>) {
    // A move may end before a node that did not answer has dropped its copy.
    eventually("each post on three nodes", async || {
        until_level(nodes).await;
        let mut times: BTreeMap<PostKey, usize> = BTreeMap::new();
        for node in nodes {
            for (key, found) in posts_of(node, posts).await {
                assert_eq!(found, 1, "{key:?}");
                *times.entry(key).or_default() += 1;
            }
        }
        let wrong = posts.iter().filter(|key| times.get(key) != Some(&NODES));
        let wrong: Vec<_> = wrong.take(5).collect();
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(format!("{wrong:?}… are not"))
        }
    })
    .await;
    eventually("leaders", async || {
        let replicas = status(&nodes[2]).await.replicas;
        let leaders: Vec<Option<NodeId>> = replicas.iter().map(|replica| replica.leader).collect();
        if leaders.iter().all(Option::is_some) {
            Ok(())
        } else {
            Err(format!("{leaders:?}"))
        }
    })
    .await;
}
