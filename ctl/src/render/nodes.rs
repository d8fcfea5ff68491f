//! The nodes of the registry.

use std::fmt::Write as _;

use covey_api::v1::{DescribeClusterReply, NodeState, NodeView};

use super::text::{Style, span, table};

/// A row per node, and in words what is not as usual.
pub(crate) fn human(reply: &DescribeClusterReply, style: Style) -> String {
    let rows: Vec<Vec<String>> = reply.nodes.iter().map(row).collect();
    let header = [
        "NODE", "ADDRESS", "ZONE", "STATE", "HEARD", "REPLICAS", "LEADS", "REPAIR",
    ];
    let mut out = table(&header, &rows, style);
    for line in reply.nodes.iter().filter_map(remark) {
        writeln!(out, "{}", style.bad(&format!("! {line}"))).expect("writing to a string");
    }
    out
}

fn row(node: &NodeView) -> Vec<String> {
    vec![
        node.node.to_string(),
        node.listen.clone(),
        node.zone.clone(),
        state(node),
        match node.heard_ms {
            None => "not yet".to_owned(),
            Some(..2_000) => "now".to_owned(),
            Some(ago) => format!("{} ago", span(ago)),
        },
        node.replicas.to_string(),
        node.leads.to_string(),
        node.repair_in_ms
            .map_or("–".to_owned(), |left| format!("in {}", span(left))),
    ]
}

fn state(node: &NodeView) -> String {
    let state = match node.state() {
        NodeState::Up | NodeState::Unspecified => "up",
        NodeState::Away => "away",
        NodeState::Draining => "draining",
        NodeState::Drained => "drained",
        NodeState::Maintenance => "maintenance",
    };
    match (node.away_ms, node.state()) {
        (0, _) => state.to_owned(),
        (away, NodeState::Away) => format!("away for {}", span(away)),
        (away, _) => format!("{state}, away for {}", span(away)),
    }
}

fn remark(node: &NodeView) -> Option<String> {
    let (id, left) = (node.node, node.repair_in_ms?);
    let away = span(node.away_ms);
    Some(match node.replicas {
        0 => format!("node {id} is away for {away}; it has no replica"),
        _ => format!(
            "node {id} is away for {away}; in {} its replicas are made anew elsewhere, unless it is back or in maintenance",
            span(left)
        ),
    })
}

#[cfg(test)]
#[path = "nodes_test.rs"]
mod tests;
