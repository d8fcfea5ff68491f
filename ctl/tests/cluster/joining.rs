//! A cluster outlives the machines that it was founded with: a node joins under load, the founder is emptied and removed, and all that is
//! left starts again.

use crate::load::Load;
use crate::moves::assert_each_post_is_there;
use crate::operations::{until_on, view, voters};
use crate::process::{Process, until};
use crate::world::Cluster;

/// Posts before the first change.
const POSTS: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_joins_and_the_founder_is_removed() {
    let mut cluster = tokio::task::block_in_place(|| Cluster::start("joining", ""));
    let mut load = Load::start(cluster.grpc).await;
    load.until_acknowledged(POSTS).await;

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
    let (code, said) = cluster.covey("node add 4 --watch");
    assert_eq!(code, Some(0), "{said}");
    // 8 shards with 3 replicas over 4 nodes.
    let has = |shard: &usize| voters(&cluster, *shard).contains(&4);
    until("its share", || match (1..=8).filter(has).count() {
        6 => Ok(()),
        count => Err(format!("{count} shards")),
    });
    let (code, said) = cluster.covey("node drain 1 --watch");
    assert_eq!(code, Some(0), "{said}");
    for shard in 0..=8 {
        until_on(&cluster, shard, &[2, 3, 4]);
    }
    let (code, said) = cluster.covey("node remove 1");
    // A first try may have been done without an answer.
    assert!(
        code == Some(0) || said.contains("there is no node 1"),
        "{code:?}: {said}"
    );
    assert_eq!(nodes(&cluster), [2, 3, 4]);
    // It finds out by itself, and again when it is started by mistake.
    assert_removed(&mut cluster.nodes[0], 1);
    cluster.nodes[0].start();
    assert_removed(&mut cluster.nodes[0], 2);

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
    until("a strong feed", || {
        match cluster.covey_once("feed --viewer 7 --strong") {
            (Some(0), _) => Ok(()),
            (code, said) => Err(format!("{code:?}: {said}")),
        }
    });
    cluster.assert_no_panic();
}

/// The nodes of the cluster, as its metadata has them.
fn nodes(cluster: &Cluster) -> Vec<u64> {
    let view = view(cluster);
    let all = view["nodes"].as_array().into_iter().flatten();
    all.map(|node| crate::operations::number(&node["node"])).collect()
}

/// In so many of its lives.
fn assert_removed(node: &mut Process, lives: usize) {
    node.wait_for_end();
    let told = node.log().matches("was removed from the cluster").count();
    assert!(told >= lives, "{told}: {}", node.log_tail());
}
