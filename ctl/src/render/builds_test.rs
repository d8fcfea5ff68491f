//! Quiet unless they are paused.

use covey_api::v1::{NodeBuilds, NodeStatus};

use super::*;

fn builds(pause_left_ms: u64) -> BuildsStatus {
    BuildsStatus {
        pause_left_ms,
        waiting_indexes: 3,
        waiting_merges: 2,
    }
}

#[test]
fn a_pause_is_a_line_of_the_status() {
    let node = |node, left| NodeStatus {
        node,
        builds: Some(builds(left)),
        ..NodeStatus::default()
    };
    let nodes = vec![node(1, 0), node(2, 1_800_000), NodeStatus::default()];
    let reply = StatusReply {
        nodes,
        ..StatusReply::default()
    };
    let line = "builds on node 2: paused for 30 min more, then they go on by themselves; 3 segments wait for their index and \
                are scanned, 2 replicas wait to merge";
    assert_eq!(lines(&reply), [line]);
    assert_eq!(paused(&reply), [(2, 1_800_000)]);
}

#[test]
fn the_answer_has_a_line_for_each_node() {
    let reply = BuildsReply {
        nodes: vec![
            NodeBuilds {
                node: 1,
                builds: Some(builds(0)),
                ..NodeBuilds::default()
            },
            NodeBuilds {
                node: 2,
                error: "no route".to_owned(),
                ..NodeBuilds::default()
            },
        ],
        ..BuildsReply::default()
    };
    let said = answer(&reply, Style::plain());
    assert!(said.starts_with("node 1: builds go on; 3 segments wait"), "{said}");
    assert!(said.ends_with("\n! node 2 did not answer: no route\n"), "{said}");
}
