//! The shards of the registry and their members.

use covey_api::v1::{DescribeClusterReply, ShardView};

use super::text::{Style, count, shard as name, table};

/// Entries that a replica may lack without being worth a word: writes that are under way.
const LITTLE: u64 = 1000;

/// A row per shard.
pub(crate) fn human(reply: &DescribeClusterReply, style: Style) -> String {
    let rows: Vec<Vec<String>> = reply.shards.iter().map(row).collect();
    table(
        &["SHARD", "SLOTS", "EPOCH", "LEADER", "REPLICAS", "STATE"],
        &rows,
        style,
    )
}

fn row(shard: &ShardView) -> Vec<String> {
    vec![
        name(shard.shard),
        match shard.slot_end {
            0 => "–".to_owned(),
            end => format!("{}–{}", shard.slot_start, end.saturating_sub(1)),
        },
        format!("{}.{}", shard.range_ver, shard.conf_ver),
        match shard.leader {
            0 => "none".to_owned(),
            node => format!("node {node}"),
        },
        nodes(&shard.voters),
        state(shard),
    ]
}

fn state(shard: &ShardView) -> String {
    let mut words = Vec::new();
    if shard.leader == 0 {
        words.push("no leader was heard of lately".to_owned());
    }
    if !shard.outgoing.is_empty() {
        let (before, after) = (nodes(&shard.outgoing), nodes(&shard.voters));
        words.push(format!("the vote goes over from {before} to {after}"));
    }
    words.extend(shard.learners.iter().map(|node| format!("node {node} has no vote")));
    for member in &shard.members {
        match (member.heard, member.behind) {
            (false, _) => words.push(format!("node {} is silent", member.node)),
            (true, behind) if behind > LITTLE => {
                words.push(format!("node {} is {} entries behind", member.node, count(behind)));
            }
            _ => {}
        }
    }
    match words.is_empty() {
        true => "ok".to_owned(),
        false => words.join("; "),
    }
}

fn nodes(nodes: &[u64]) -> String {
    let nodes: Vec<String> = nodes.iter().map(u64::to_string).collect();
    nodes.join(", ")
}

#[cfg(test)]
#[path = "shards_test.rs"]
mod tests;
