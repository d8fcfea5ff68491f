//! Choice of replicas.

use std::time::Duration;

use super::*;

fn link(latency: f64, in_flight: usize) -> LinkView {
    LinkView {
        latency,
        in_flight,
        available: true,
        alive: true,
        hedge_after: Duration::from_millis(10),
    }
}

fn nodes() -> Vec<NodeId> {
    vec![NodeId(1), NodeId(2), NodeId(3)]
}

#[test]
fn faster_and_less_loaded_replica_wins() {
    let links = [
        (NodeId(1), link(0.004, 1)),
        (NodeId(2), link(0.001, 0)),
        (NodeId(3), link(0.001, 9)),
    ];
    let mut choice = Choice::new(links.into(), 0);
    assert_eq!(choice.pick(&nodes(), (&[], &[]), None), Some(NodeId(2)));
}

#[test]
fn shards_of_one_read_spread_over_equal_nodes() {
    let links = nodes().into_iter().map(|n| (n, link(0.001, 0))).collect();
    let mut choice = Choice::new(links, 1);
    let mut picked: Vec<_> = (0..6).filter_map(|_| choice.pick(&nodes(), (&[], &[]), None)).collect();
    picked.sort_unstable();
    assert_eq!(picked, [1, 1, 2, 2, 3, 3].map(NodeId));
}

#[test]
fn unavailable_node_is_the_last_resort() {
    let dead = LinkView {
        available: false,
        alive: false,
        ..link(0.0001, 0)
    };
    let links = [(NodeId(1), dead), (NodeId(2), link(0.5, 50)), (NodeId(3), dead)];
    let mut choice = Choice::new(links.into(), 0);
    assert_eq!(choice.pick(&nodes(), (&[], &[]), None), Some(NodeId(2)));
    assert_eq!(choice.pick(&nodes(), (&[NodeId(2)], &[]), None), Some(NodeId(1)));
    assert_eq!(choice.pick(&nodes(), (&nodes(), &[]), None), None);
}

#[test]
fn wanted_replica_wins_unless_it_is_unavailable_or_avoided() {
    let dead = LinkView {
        available: false,
        ..link(0.001, 0)
    };
    let links = [
        (NodeId(1), link(0.001, 0)),
        (NodeId(2), link(0.9, 0)),
        (NodeId(3), dead),
    ];
    let mut choice = Choice::new(links.into(), 0);
    assert_eq!(choice.pick(&nodes(), (&[], &[]), Some(NodeId(2))), Some(NodeId(2)));
    assert_eq!(choice.pick(&nodes(), (&[], &[]), Some(NodeId(3))), Some(NodeId(1)));
    assert_eq!(
        choice.pick(&nodes(), (&[NodeId(2)], &[]), Some(NodeId(2))),
        Some(NodeId(1))
    );
}

#[test]
fn who_has_old_answers_comes_after_the_slow_and_before_the_dead() {
    let dead = LinkView {
        alive: false,
        ..link(0.0001, 0)
    };
    let links = [
        (NodeId(1), link(0.001, 0)),
        (NodeId(2), link(0.05, 9)),
        (NodeId(3), dead),
    ];
    let mut choice = Choice::new(links.into(), 0);
    let stale = [NodeId(1)];
    let mut tried = Vec::new();
    for wanted in [2, 1, 3].map(NodeId) {
        assert_eq!(choice.pick(&nodes(), (&tried, &stale), None), Some(wanted));
        tried.push(wanted);
    }
}
