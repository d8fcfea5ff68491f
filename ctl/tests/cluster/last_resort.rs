//! Two of five nodes are lost for good, and with them the majority of some shards: these go on with one replica, and grow again.

use crate::load::Load;
use crate::moves::assert_each_post_is_there;
use crate::operations::{assert_empty, voters};
use crate::process::{Process, until};
use crate::replicas::until_level;
use crate::world::Cluster;

/// Posts before the loss.
const POSTS: usize = 1_500;
const LOST: [u64; 2] = [4, 5];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shard_that_has_lost_its_majority_goes_on_with_one_replica() {
    let more = "[operations]\nmax_down = \"6s\"\n";
    let mut cluster = tokio::task::block_in_place(|| Cluster::with(5, "last-resort", more));
    let nodes = cluster.node_clients();
    let mut load = Load::start(cluster.grpc).await;
    load.until_acknowledged(POSTS).await;
    let history = load.finish().await;
    until_level(&nodes).await;
    let (code, said) = cluster.covey("shard unsafe-recover 1 --keep 1 --yes-lose-writes");
    assert!(code == Some(2) && said.contains("a majority"), "{code:?}: {said}");
    let (code, said) = cluster.covey("shard unsafe-recover 1 --keep 1");
    assert!(
        code == Some(1) && said.contains("--yes-lose-writes"),
        "{code:?}: {said}"
    );

    let beyond_help: Vec<(usize, u64)> = (1..=8)
        .filter_map(|shard| Some((shard, left_alone(&voters(&cluster, shard))?)))
        .collect();
    assert_eq!(beyond_help, [(3, 3), (4, 1), (8, 3)], "by the layout of five nodes");
    for node in LOST {
        cluster.nodes[node as usize - 1].kill();
    }
    for (shard, keep) in &beyond_help {
        until("the cluster sees that the nodes are away", || {
            let words = format!("shard unsafe-recover {shard} --keep {keep} --yes-lose-writes --watch");
            match cluster.covey(&words) {
                (Some(0), _) => Ok(()),
                // An earlier try was done although its command failed.
                (Some(2), _) if !voters(&cluster, *shard).iter().any(|voter| LOST.contains(voter)) => Ok(()),
                (code, said) => Err(format!("{code:?}: {said}")),
            }
        });
    }
    until("three replicas of each shard on the nodes that are left", || {
        let wrong = (0..=8)
            .map(|shard| voters(&cluster, shard))
            .find(|voters| *voters != [1, 2, 3]);
        wrong.map_or(Ok(()), |voters| Err(format!("{voters:?}")))
    });
    // What was acknowledged had come to the replicas that stayed.
    assert_each_post_is_there(&nodes[..3], &history.posts()).await;
    // They come back with all that they had, and find out that they are members of nothing.
    cluster.nodes[3..].iter_mut().for_each(Process::start);
    for node in LOST {
        assert_empty(&cluster, &nodes, node as usize).await;
    }
    tokio::task::block_in_place(|| cluster.wait_until_healthy());
    let mut load = Load::start(cluster.grpc).await;
    load.until_acknowledged(POSTS).await;
    let history = load.finish().await;
    assert_eq!(history.broken_feeds(), [], "feeds behind the recovery");
    cluster.assert_no_panic();
}

/// The one voter that is not on a lost node, if the others are.
fn left_alone(voters: &[u64]) -> Option<u64> {
    let left: Vec<u64> = voters.iter().copied().filter(|voter| !LOST.contains(voter)).collect();
    match left[..] {
        [one] => Some(one),
        _ => None,
    }
}
