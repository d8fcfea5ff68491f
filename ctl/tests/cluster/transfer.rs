//! The leadership of every shard goes round the nodes under load, by command and when a node is stopped: no write is lost, feeds
//! stay complete, and how long writes waited is printed.

use std::time::{Duration, Instant};

use covey_rpc::NodeClient;
use covey_shared::ids::ShardId;
use covey_shared::wire::{ReplicaRole, ReplicaStatus};

use crate::load::Load;
use crate::process::eventually;
use crate::replicas::assert_same_everywhere;
use crate::world::{Cluster, NODES, SHARDS, status};

/// Leaders that are stopped.
const STOPS: usize = 3;
/// Rounds, in each of which each shard is led by each node in turn.
const ROUNDS: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaders_move_by_command_while_writes_and_feeds_go_on() {
    let mut cluster = tokio::task::block_in_place(|| Cluster::start("transfer", ""));
    let nodes = cluster.node_clients();
    let mut load = Load::start(cluster.grpc).await;
    let (mut silences, mut held) = (Vec::new(), 0);
    for step in 0..ROUNDS * NODES {
        for shard in 0..usize::from(SHARDS) {
            let to = (shard + step) % NODES;
            let at = Instant::now();
            let (code, said) = transfer(&cluster, shard + 1, to + 1, "3m");
            assert_eq!(code, Some(0), "{said}");
            silences.push(load.history.silence_from(shard, at).await);
            held += usize::from(leader_of(&nodes, ShardId(shard as u64 + 1)).await == to);
        }
    }
    // A busy machine may have elected another one since.
    assert!(held > silences.len() / 2, "{held} of {} leaders stayed", silences.len());
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

/// The node, from 0, that leads a shard. Each knows what it heard last: the one of the highest term counts.
async fn leader_of(nodes: &[NodeClient], shard: ShardId) -> usize {
    eventually("a leader", async || {
        let mut leads = None;
        for (at, node) in nodes.iter().enumerate() {
            let replicas = status(node).await.replicas.into_iter();
            let leader = |replica: &ReplicaStatus| replica.shard == shard && replica.role == ReplicaRole::Leader;
            leads = leads.max(replicas.filter(leader).map(|replica| (replica.term, at)).next());
        }
        leads.map(|(_, at)| at).ok_or(format!("nobody leads {shard:?}"))
    })
    .await
}

/// Stops the leader of shard 1, time and again, which hands its leaderships over first. The longest time without an
/// acknowledged write after each.
async fn stop_leaders(cluster: &mut Cluster, nodes: &[NodeClient], load: &Load) -> Vec<Duration> {
    let (mut worst, mut handed) = (Vec::new(), 0);
    for _ in 0..STOPS {
        let node = leader_of(nodes, ShardId(1)).await;
        let (at, before) = (Instant::now(), cluster.nodes[node].log().len());
        tokio::task::block_in_place(|| cluster.nodes[node].stop());
        let log = cluster.nodes[node].log();
        let mut said = log[before..].lines();
        handed += usize::from(
            said.any(|line| line.contains("others were to lead before the stop") && line.contains("all=true")),
        );
        let mut silence = Duration::ZERO;
        for shard in 0..usize::from(SHARDS) {
            silence = silence.max(load.history.silence_from(shard, at).await);
        }
        worst.push(silence);
        cluster.nodes[node].start();
        tokio::task::block_in_place(|| cluster.wait_until_healthy());
    }
    // It waits a second for that, which a slow disk may need for more.
    assert!(handed > 0, "none of {STOPS} leaders handed all over before it stopped");
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
    let (code, said) = transfer(cluster, 1, 3, "3m");
    assert_eq!(code, Some(0), "{said}");
    cluster.nodes[1].kill();
    let (code, said) = transfer(cluster, 1, 2, "2s");
    assert!(code == Some(1) && said.contains("not done in time"), "{said}");
    cluster.nodes[1].start();
    tokio::task::block_in_place(|| cluster.wait_until_healthy());
    let (code, said) = transfer(cluster, 1, 3, "3m");
    assert_eq!(code, Some(0), "{said}");
}
