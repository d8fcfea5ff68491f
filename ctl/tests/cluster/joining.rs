//! A cluster outlives the machines that it was founded with: a node joins under load, the founder is emptied and removed, and all that is
//! left starts again.

use crate::load::Load;
use crate::moves::assert_each_post_is_there;
use crate::operations::{view, voters, written};
use crate::process::{Process, until};
use crate::world::Cluster;

/// Posts before the first change.
const POSTS: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_joins_and_the_founder_is_removed() {
    let mut cluster = tokio::task::block_in_place(|| Cluster::start("joining", ""));
    let mut load = Load::start(cluster.grpc).await;
    written(&load, POSTS).await;

    cluster.join(4, "d");
    until("a fourth node", || match nodes(&cluster).as_slice() {
        [1, 2, 3, 4] => Ok(()),
        others => Err(format!("{others:?}; {}", cluster.nodes[3].log_tail())),
    });
    let (code, said) = cluster.covey("node remove 1");
    assert!(
        code == Some(2) && said.contains("covey node drain 1"),
        "{code:?}: {said}"
    );
    let (code, said) = cluster.covey("node drain 1 --watch");
    assert_eq!(code, Some(0), "{said}");
    for shard in 0..=8 {
        assert_eq!(voters(&cluster, shard), [2, 3, 4], "shard {shard}");
    }
    let (code, said) = cluster.covey("node remove 1");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(nodes(&cluster), [2, 3, 4]);
    // It finds out by itself, and again when it is started by mistake.
    assert_removed(&mut cluster.nodes[0]);
    cluster.nodes[0].start();
    assert_removed(&mut cluster.nodes[0]);

    let history = load.finish().await;
    println!("joining: {}", history.summary());
    assert_eq!(history.broken_feeds(), [], "feeds while nodes came and went");

    // The configuration still names the founder, and not the node that joined.
    cluster.coordinator.stop();
    cluster.nodes[1..].iter_mut().for_each(Process::stop);
    cluster.nodes[1..].iter_mut().for_each(Process::start);
    cluster.coordinator.start();
    tokio::task::block_in_place(|| cluster.wait_until_settled(1));
    assert_eq!(nodes(&cluster), [2, 3, 4]);
    assert_each_post_is_there(&cluster.node_clients()[1..], &history.posts()).await;
    let (code, said) = cluster.covey("shard transfer-leader 1 --to 4 --watch");
    assert_eq!(code, Some(0), "{said}");
    cluster.assert_no_panic();
}

/// The nodes of the cluster, as its metadata has them.
fn nodes(cluster: &Cluster) -> Vec<u64> {
    let view = view(cluster);
    let all = view["nodes"].as_array().into_iter().flatten();
    all.map(|node| crate::operations::number(&node["node"])).collect()
}

fn assert_removed(node: &mut Process) {
    node.wait_for_end();
    assert!(
        node.log_tail().contains("was removed from the cluster"),
        "{}",
        node.log_tail()
    );
}
