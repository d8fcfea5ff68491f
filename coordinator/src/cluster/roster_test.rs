//! Ways to nodes that come, stay, move and go.

use std::time::Duration;

use super::*;
use crate::cluster::testing::cluster;

fn directory(version: u64, places: &[(u64, &str)]) -> Directory {
    let place = |(node, listen): &(u64, &str)| NodePlace {
        node: NodeId(*node),
        listen: (*listen).to_owned(),
        zone: String::new(),
    };
    Directory::new(LogIndex(version), places.iter().map(place))
}

#[actix_rt::test]
async fn the_newest_list_opens_and_closes_links_and_leaves_the_others_alone() {
    let (cluster, world) = cluster();
    let before = cluster.roster.load();
    let listen = |node| before.directory.get(NodeId(node)).expect("configured").listen.clone();
    let newer = directory(5, &[(2, "elsewhere:1"), (3, &listen(3)), (4, "new:1")]);
    cluster.roster.learn(newer.clone());
    let after = cluster.roster.load();
    assert_eq!(after.directory, newer);
    let nodes: Vec<u64> = after.all().map(|(node, _)| node.0).collect();
    assert_eq!(nodes, [2, 3, 4]);
    let same = |node| match (before.get(NodeId(node)), after.get(NodeId(node))) {
        (Some(before), Some(after)) => Arc::ptr_eq(&before.link, &after.link),
        _ => false,
    };
    assert!(same(3) && !same(2));
    for old in [directory(4, &[(1, "a:1")]), directory(5, &[(1, "a:1")])] {
        cluster.roster.learn(old);
        assert!(Arc::ptr_eq(&after, &cluster.roster.load()));
    }
    // The new one is called, and one that is gone is not.
    let deadline = cluster.now().plus(Duration::from_secs(60));
    let answers = cluster
        .pause_builds(&[NodeId(4), NodeId(1)], Duration::ZERO, deadline)
        .await;
    assert_eq!(answers.len(), 1);
    let called: Vec<u64> = world.calls.lock().iter().map(|(node, _)| node.0).collect();
    assert_eq!(called, [4]);
}

#[actix_rt::test]
async fn a_link_is_wanted_while_its_node_is_where_it_was() {
    let (cluster, _) = cluster();
    let place = cluster.roster.load().directory.nodes[1].clone();
    assert!(cluster.roster.has(&place));
    cluster.roster.learn(directory(5, &[(2, "elsewhere:1")]));
    assert!(!cluster.roster.has(&place), "its actor ends");
}
