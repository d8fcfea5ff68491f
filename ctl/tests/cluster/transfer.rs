//! The leadership of every shard goes round the nodes under load: no write is lost, none waits long, feeds stay complete.

use std::time::Instant;

use crate::load::Load;
use crate::process::{binary, run_to_end};
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
            let (code, said) = transfer(&cluster, shard + 1, to + 1, "10s");
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
    let history = load.finish().await;
    silences.sort_unstable();
    println!(
        "transfer: time without an acknowledged write p50 {:.0?}, worst {:.0?}, of {}; {}",
        silences[silences.len() / 2],
        silences[silences.len() - 1],
        silences.len(),
        history.summary()
    );
    assert_eq!(history.broken_feeds(), [], "feeds while leaders moved");
    assert_same_everywhere(&nodes, &history.posts()).await;
    cluster.assert_no_panic();
}

fn transfer(cluster: &Cluster, shard: usize, to: usize, deadline: &str) -> (Option<i32>, String) {
    let server = format!("http://127.0.0.1:{}", cluster.grpc);
    let (shard, to) = (shard.to_string(), to.to_string());
    let words = [
        "--server",
        &server,
        "shard",
        "transfer-leader",
        &shard,
        "--to",
        &to,
        "--deadline",
        deadline,
    ];
    let args: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let (status, said) = tokio::task::block_in_place(|| run_to_end(&binary("covey"), &args, &[]));
    (status.code(), said)
}

/// What cannot be is refused, and nothing has changed.
fn assert_refusals(cluster: &mut Cluster) {
    let (code, said) = transfer(cluster, 99, 1, "10s");
    assert!(code == Some(1) && said.contains("there is no shard 99"), "{said}");
    let (code, said) = transfer(cluster, 1, 9, "10s");
    assert!(code == Some(1) && said.contains("there is no node 9"), "{said}");
    // Shard 1 is led by node 3 now.
    cluster.nodes[1].kill();
    let (code, said) = transfer(cluster, 1, 2, "2s");
    assert!(code == Some(1) && said.contains("does not take it"), "{said}");
    cluster.nodes[1].start();
    tokio::task::block_in_place(|| cluster.wait_until_healthy());
    let (code, said) = transfer(cluster, 1, 3, "10s");
    assert_eq!(code, Some(0), "{said}");
}
