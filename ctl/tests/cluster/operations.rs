//! Operations on whole nodes and on the metadata itself, under load: the founder is emptied, every first member of the metadata is replaced,
//! the metadata loses its majority and a disk, a node is given up and comes back.

use std::time::{Duration, Instant};

use covey_rpc::NodeClient;
use covey_shared::ids::ShardId;
use serde_json::Value;

use crate::calls::http;
use crate::load::Load;
use crate::moves::assert_each_post_is_there;
use crate::place::children;
use crate::process::{Process, eventually, until};
use crate::world::{Cluster, status};

/// Posts before the first operation.
const POSTS: usize = 1_500;
/// More than are on their way at any moment.
const MANY: usize = 150;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_metadata_outlives_its_founders_its_majority_and_a_disk() {
    let mut cluster = tokio::task::block_in_place(|| Cluster::with(5, "operations", ""));
    let nodes = cluster.node_clients();
    let mut load = Load::start(cluster.grpc).await;
    load.until_acknowledged(POSTS).await;
    // All users' shards, and the metadata, leave two of its founders.
    for node in [1, 2] {
        let (code, said) = cluster.covey(&format!("node drain {node} --watch"));
        assert_eq!(code, Some(0), "{said}");
        assert_empty(&cluster, &nodes, node).await;
    }
    assert_conflicts(&cluster);
    for node in [1, 2] {
        assert_eq!(cluster.covey(&format!("node undrain {node}")).0, Some(0));
    }
    // The metadata goes where nothing else is, and leaves its last founder.
    for (from, to) in [(3, 1), (4, 2)] {
        let (code, said) = cluster.covey(&format!("shard move 0 --from {from} --to {to} --watch"));
        assert_eq!(code, Some(0), "{said}");
    }
    until_on(&cluster, 0, &[1, 2, 5]);
    for node in [0, 1, 4] {
        let replicas = status(&nodes[node]).await.replicas;
        let replica = replicas.iter().find(|replica| replica.shard == ShardId::METADATA);
        let born = replica.map(|replica| replica.replica.born());
        assert!(born.is_some_and(|born| born > 0), "{replica:?} was founded");
    }
    without_majority(&mut cluster, &load).await;
    wipe(&mut cluster, &nodes, 1).await;
    let history = load.finish().await;
    println!("operations: {}", history.summary());
    assert_eq!(history.broken_feeds(), [], "feeds during operations");
    assert_each_post_is_there(&nodes, &history.posts()).await;
    let audit = view(&cluster)["audit"].as_array().expect("a list").len();
    assert!(audit >= 7, "{audit} lines of the audit log");
    cluster.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_away_is_given_up_unless_in_maintenance_and_comes_back_empty() {
    let more = "[operations]\nmax_down = \"6s\"\n";
    let mut cluster = tokio::task::block_in_place(|| Cluster::with(4, "repair", more));
    let nodes = cluster.node_clients();
    let mut load = Load::start(cluster.grpc).await;
    load.until_acknowledged(POSTS).await;
    let (code, said) = cluster.covey("node maintenance 4 --for 1h");
    assert_eq!(code, Some(0), "{said}");
    cluster.nodes[3].kill();
    let away = Instant::now();
    // Longer than it would take without.
    while away.elapsed() < Duration::from_secs(14) {
        assert_eq!(running(&cluster), ["maintenance"]);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let maintenance = view(&cluster)["operations"][0]["id"].clone();
    assert_eq!(cluster.covey(&format!("cancel {}", number(&maintenance))).0, Some(0));
    until("the repair of node 4", || {
        match running(&cluster).iter().any(|what| what == "repair") {
            true => Ok(()),
            false => Err(view(&cluster)["nodes"].to_string()),
        }
    });
    until("a cluster without node 4", || {
        let left = (0..=8).filter(|shard| voters(&cluster, *shard).contains(&4)).count();
        match left == 0 && running(&cluster).is_empty() {
            true => Ok(()),
            false => Err(format!(
                "{left} shards are left there; {}",
                view(&cluster)["operations"]
            )),
        }
    });
    cluster.nodes[3].start();
    assert_empty(&cluster, &nodes, 4).await;
    tokio::task::block_in_place(|| cluster.wait_until_healthy());
    let history = load.finish().await;
    println!("repair: {}", history.summary());
    assert_eq!(history.broken_feeds(), [], "feeds while a node was away");
    assert_each_post_is_there(&nodes, &history.posts()).await;
    cluster.assert_no_panic();
}

/// Neither the node nor its disk has anything of any shard.
pub(crate) async fn assert_empty(cluster: &Cluster, nodes: &[NodeClient], node: usize) {
    eventually("an empty node", async || {
        let replicas = status(&nodes[node - 1]).await.replicas;
        let dir = cluster.dir.join(format!("data/node-{node}"));
        let is_shard = |path: &std::path::PathBuf| {
            let name = path.file_name().and_then(std::ffi::OsStr::to_str);
            name.is_some_and(|name| name.starts_with("shard-"))
        };
        let left: Vec<_> = children(&dir).into_iter().filter(is_shard).collect();
        match replicas.is_empty() && left.is_empty() {
            true => Ok(()),
            false => Err(format!("node {node} still has {left:?}")),
        }
    })
    .await;
}

/// What conflicts, or cannot be, is refused, and nothing has changed.
fn assert_conflicts(cluster: &Cluster) {
    let (code, said) = cluster.covey("node maintenance 3 --for 1h");
    assert_eq!(code, Some(0), "{said}");
    for (words, why) in [
        ("node drain 3", "works on the same"),
        ("node drain 4", "would"),
        ("shard move 1 --from 3 --to 1", "is drained"),
        ("node undrain 5", "is not drained"),
        ("cancel 99999", "there is no operation"),
    ] {
        let (code, said) = cluster.covey(words);
        assert!(code == Some(2) && said.contains(why), "{words}: {code:?} {said}");
    }
    let id = view(cluster)["operations"]
        .as_array()
        .and_then(|all| all.iter().find(|one| one["state"] == "OPERATION_STATE_RUNNING"))
        .map(|one| number(&one["id"]));
    let (code, said) = cluster.covey(&format!("cancel {}", id.expect("the maintenance runs")));
    assert_eq!(code, Some(0), "{said}");
}

/// Two of three members of the metadata are away: nothing is moved, and nobody who reads or writes notices.
async fn without_majority(cluster: &mut Cluster, load: &Load) {
    cluster.nodes[..2].iter_mut().for_each(Process::kill);
    let (code, said) = cluster.covey_once("shard transfer-leader 1 --to 4");
    assert!(
        code != Some(0) && said.contains("reads and writes go on"),
        "{code:?}: {said}"
    );
    let (before, feeds) = (load.history.acknowledged(), load.history.complete());
    load.until_acknowledged(before + MANY).await;
    until("a feed without the metadata", || {
        match load.history.complete() > feeds {
            true => Ok(()),
            false => Err(format!("{feeds} feeds")),
        }
    });
    cluster.nodes[..2].iter_mut().for_each(Process::start);
    tokio::task::block_in_place(|| cluster.wait_until_healthy());
    let (code, said) = cluster.covey("shard transfer-leader 1 --to 4 --watch");
    assert_eq!(code, Some(0), "{said}");
}

/// The disk of a member of the metadata is lost; it comes back by itself, equal to the others.
async fn wipe(cluster: &mut Cluster, nodes: &[NodeClient], node: usize) {
    cluster.nodes[node - 1].kill();
    std::fs::remove_dir_all(cluster.dir.join(format!("data/node-{node}"))).expect("its data can be removed");
    cluster.nodes[node - 1].start();
    tokio::task::block_in_place(|| cluster.wait_until_healthy());
    let replicas = status(&nodes[node - 1]).await.replicas;
    assert!(replicas.iter().any(|replica| replica.shard == ShardId::METADATA));
    until("equal replicas of the metadata", || {
        match cluster.covey("shard check --shard 0") {
            (Some(0), _) => Ok(()),
            (code, said) => Err(format!("{code:?} {said}")),
        }
    });
}

pub(crate) fn view(cluster: &Cluster) -> Value {
    // At times nobody leads the metadata.
    until("an answer of the metadata", || {
        match http(cluster.http, "GET", "/v1/cluster?audit=100", &[], b"") {
            Ok((200, body)) => Ok(serde_json::from_str(&body).expect("JSON")),
            Ok((code, body)) => Err(format!("{code} {body}")),
            Err(error) => Err(error.to_string()),
        }
    })
}

/// Zeros may be left out, and large numbers are strings.
pub(crate) fn number(value: &Value) -> u64 {
    let text = value.as_str().and_then(|text| text.parse().ok());
    text.or(value.as_u64()).unwrap_or(0)
}

pub(crate) fn voters(cluster: &Cluster, shard: usize) -> Vec<u64> {
    let view = view(cluster);
    let voters = view["shards"][shard]["voters"].as_array();
    let mut voters: Vec<u64> = voters.into_iter().flatten().map(number).collect();
    voters.sort_unstable();
    voters
}

/// Until a shard has these voters: who leads it may tell the metadata a moment after a move has ended.
pub(crate) fn until_on(cluster: &Cluster, shard: usize, nodes: &[u64]) {
    until("the members of a shard", || match voters(cluster, shard) {
        found if found == nodes => Ok(()),
        found => Err(format!("shard {shard} is on {found:?}")),
    });
}

/// Kinds of the operations that run and are no part of another.
fn running(cluster: &Cluster) -> Vec<String> {
    let view = view(cluster);
    let all = view["operations"].as_array().into_iter().flatten();
    let running = all.filter(|one| one["state"] == "OPERATION_STATE_RUNNING" && number(&one["parent"]) == 0);
    let kinds = running.filter_map(|one| {
        let what = one["what"].as_object()?;
        what.keys().find(|key| *key != "title").cloned()
    });
    kinds.collect()
}
