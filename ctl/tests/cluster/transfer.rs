//! The leadership of every shard goes round the nodes under load, by command and when a node is stopped: no write is lost, feeds
//! stay complete, and how long writes waited is printed.

use std::time::{Duration, Instant};

use covey_rpc::NodeClient;

use crate::load::Load;
use crate::replicas::assert_same_everywhere;
use crate::world::{Cluster, NODES, SHARDS, status};

/// Rounds, in each of which each shard is led by each node in turn.
const ROUNDS: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaders_move_by_command_while_writes_and_feeds_go_on() {
    let mut cluster = tokio::task::block_in_place(|| Cluster::start("transfer", ""));
    let nodes = cluster.node_clients();
    let mut load = Load::start(cluster.grpc).await;
    let mut silences = Vec::new();
    for step in 0..ROUNDS * NODES {
        for shard in 0..usize::from(SHARDS) {
            let to = (shard + step) % NODES;
            let at = Instant::now();
            let (code, said) = transfer(&cluster, shard + 1, to + 1, "30s");
            assert_eq!(code, Some(0), "{said}");
            silences.push(load.history.silence_from(shard, at).await);
            let leads = status(&nodes[to]).await.replicas;
            let leads = leads.iter().find(|replica| replica.shard.0 as usize == shard + 1);
            assert_eq!(
                leads.and_then(|replica| replica.leader).map(|node| node.0 as usize),
                Some(to + 1)
            );
        }
    }
    assert_refusals(&mut cluster);
    let stops = stop_leaders(&mut cluster, &nodes, &load).await;
    let history = load.finish().await;
    silences.sort_unstable();
    println!(
        "transfer: time without an acknowledged write p50 {:.0?}, worst {:.0?}, of {}; longest at the stop of a leader {stops:.0?}; {}",
        silences[silences.len() / 2],
        silences[silences.len() - 1],
        silences.len(),
        history.summary()
    );
    assert_eq!(history.broken_feeds(), [], "feeds while leaders moved");
    assert_same_everywhere(&nodes, &history.posts()).await;
    cluster.assert_no_panic();
}

/// Stops the leader of shard 1, time and again, which hands its leaderships over first. The longest time without an
/// acknowledged write after each.
async fn stop_leaders(cluster: &mut Cluster, nodes: &[NodeClient], load: &Load) -> Vec<Duration> {
    let mut worst = Vec::new();
    for _ in 0..NODES {
        let replicas = status(&nodes[0]).await.replicas;
        let leader = replicas
            .iter()
            .find(|replica| replica.shard.0 == 1)
            .and_then(|replica| replica.leader);
        let node = leader.expect("a healthy cluster has leaders").0 as usize - 1;
        let (at, before) = (Instant::now(), cluster.nodes[node].log().len());
        tokio::task::block_in_place(|| cluster.nodes[node].stop());
        let log = cluster.nodes[node].log();
        let told = log[before..]
            .lines()
            .any(|line| line.contains("others were to lead before the stop") && line.contains("all=true"));
        assert!(told, "{}", cluster.nodes[node].log_tail());
        let mut silence = Duration::ZERO;
        for shard in 0..usize::from(SHARDS) {
            silence = silence.max(load.history.silence_from(shard, at).await);
        }
        worst.push(silence);
        cluster.nodes[node].start();
        tokio::task::block_in_place(|| cluster.wait_until_healthy());
    }
    worst
}

fn transfer(cluster: &Cluster, shard: usize, to: usize, limit: &str) -> (Option<i32>, String) {
    cluster.covey(&format!(
        "shard transfer-leader {shard} --to {to} --watch --limit {limit}"
    ))
}

/// What cannot be is refused, and nothing has changed.
fn assert_refusals(cluster: &mut Cluster) {
    let (code, said) = transfer(cluster, 99, 1, "10s");
    assert!(code == Some(2) && said.contains("there is no shard 99"), "{said}");
    let (code, said) = transfer(cluster, 1, 9, "10s");
    assert!(code == Some(2) && said.contains("there is no node 9"), "{said}");
    // Shard 1 is led by node 3 now.
    cluster.nodes[1].kill();
    let (code, said) = transfer(cluster, 1, 2, "2s");
    assert!(code == Some(1) && said.contains("not done in time"), "{said}");
    cluster.nodes[1].start();
    tokio::task::block_in_place(|| cluster.wait_until_healthy());
    let (code, said) = transfer(cluster, 1, 3, "30s");
    assert_eq!(code, Some(0), "{said}");
}
