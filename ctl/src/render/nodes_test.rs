//! Every state of a node has its words.

use super::*;

#[test]
fn each_node_says_what_it_is_at_and_who_is_away_for_how_long() {
    let node = |node, state: NodeState, away_ms| NodeView {
        node,
        listen: format!("host-{node}:7100"),
        zone: "a".into(),
        state: state as i32,
        heard_ms: Some(away_ms),
        away_ms,
        replicas: 3,
        leads: 1,
        repair_in_ms: None,
    };
    let reply = DescribeClusterReply {
        nodes: vec![
            node(1, NodeState::Up, 0),
            NodeView {
                repair_in_ms: Some(1_500_000),
                ..node(2, NodeState::Away, 300_000)
            },
            node(3, NodeState::Maintenance, 60_000),
            NodeView {
                heard_ms: None,
                ..node(4, NodeState::Drained, 0)
            },
        ],
        ..DescribeClusterReply::default()
    };
    assert_eq!(
        human(&reply, Style::plain()),
        "NODE  ADDRESS      ZONE  STATE                       HEARD      REPLICAS  LEADS  REPAIR\n\
         1     host-1:7100  a     up                          now        3         1      –\n\
         2     host-2:7100  a     away for 5 min              5 min ago  3         1      in 25 min\n\
         3     host-3:7100  a     maintenance, away for 60 s  60 s ago   3         1      –\n\
         4     host-4:7100  a     drained                     not yet    3         1      –\n\
         ! node 2 is away for 5 min; in 25 min its replicas are made anew elsewhere, unless it is back or in maintenance\n"
    );
}
