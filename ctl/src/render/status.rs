//! The state of the cluster on one screen.

use std::fmt::Write as _;

use covey_api::v1::{NodeStatus, ReplicaRole, ReplicaStatus, ShardStatus, StatusReply};

use super::text::{Style, bytes, count, shard as name, span, table};
use super::{builds, scrub};
use crate::client::METADATA;

/// For people.
pub(crate) fn human(reply: &StatusReply, style: Style) -> String {
    let health = if reply.healthy {
        style.good("healthy")
    } else {
        style.bad("not healthy")
    };
    let mut out = format!(
        "{} · {health} · {} posts · map {} · coordinator {} up {}, {} requests in work\n\n",
        style.bold(&reply.cluster),
        count(reply.posts),
        reply.map_version,
        reply.release,
        span(reply.uptime_ms),
        reply.in_flight,
    );
    let nodes: Vec<Vec<String>> = reply.nodes.iter().map(node_row).collect();
    let header = [
        "NODE", "ADDRESS", "ZONE", "STATE", "UP", "RESIDENT", "LOG", "STORE", "FREE", "REPLICAS", "LEADS", "CALL",
    ];
    out.push_str(&table(&header, &nodes, style));
    out.push('\n');
    let groups = reply.metadata.iter().chain(&reply.shards);
    let shards: Vec<Vec<String>> = groups.map(|shard| shard_row(shard, reply)).collect();
    let header = [
        "SHARD", "SLOTS", "LEADER", "REPLICAS", "POSTS", "LAG", "STALE", "OUTBOX", "INDEXED", "RECALL",
    ];
    out.push_str(&table(&header, &shards, style));
    for line in builds::lines(reply).into_iter().chain(scrub::lines(reply)) {
        writeln!(out, "{line}").expect("writing to a string");
    }
    for problem in &reply.problems {
        writeln!(out, "{}", style.bad(&format!("! {problem}"))).expect("writing to a string");
    }
    out
}

/// For scripts: one fact a line, `key value`, in a stable order.
pub(crate) fn plain(reply: &StatusReply) -> String {
    let mut out = format!(
        "healthy {}\ncluster {}\nposts {}\nmap_version {}\n",
        reply.healthy, reply.cluster, reply.posts, reply.map_version
    );
    for node in &reply.nodes {
        writeln!(
            out,
            "node {} {} {}",
            node.node,
            node.address,
            if node.reachable { "up" } else { "down" }
        )
        .expect("writing to a string");
    }
    for shard in &reply.shards {
        writeln!(
            out,
            "shard {} leader {} replicas {}/{} posts {} lag {}",
            shard.shard, shard.leader, shard.replicas, shard.wanted, shard.posts, shard.lag
        )
        .expect("writing to a string");
    }
    if let Some(metadata) = &reply.metadata {
        let ShardStatus {
            leader,
            replicas,
            wanted,
            lag,
            ..
        } = metadata;
        writeln!(out, "metadata leader {leader} replicas {replicas}/{wanted} lag {lag}").expect("writing to a string");
    }
    for (node, left_ms) in builds::paused(reply) {
        writeln!(out, "builds {node} paused {left_ms}").expect("writing to a string");
    }
    for problem in &reply.problems {
        writeln!(out, "problem {problem}").expect("writing to a string");
    }
    out
}

fn node_row(node: &NodeStatus) -> Vec<String> {
    let leads = of_shards(node)
        .filter(|replica| replica.role() == ReplicaRole::Leader)
        .count();
    let state = if node.reachable {
        "up".to_owned()
    } else {
        format!("down: {}", node.error)
    };
    let known = |text: String| if node.reachable { text } else { "–".to_owned() };
    vec![
        node.node.to_string(),
        node.address.clone(),
        node.zone.clone(),
        state,
        known(span(node.uptime_ms)),
        known(bytes(node.resident_bytes)),
        known(bytes(node.wal_bytes)),
        known(bytes(node.kv_bytes)),
        known(free(node)),
        known(of_shards(node).count().to_string()),
        known(leads.to_string()),
        known(format!("{:.1} ms", node.latency_ms)),
    ]
}

/// The replicas of a node, without that of the metadata.
pub(crate) fn of_shards(node: &NodeStatus) -> impl Iterator<Item = &ReplicaStatus> {
    node.replicas.iter().filter(|replica| replica.shard != METADATA)
}

/// Room on the disk.
fn free(node: &NodeStatus) -> String {
    match node.disk_total_bytes {
        0 => "–".to_owned(),
        total => format!("{:.0} %", node.disk_free_bytes as f64 * 100.0 / total as f64),
    }
}

fn shard_row(shard: &ShardStatus, reply: &StatusReply) -> Vec<String> {
    let replicas: Vec<&ReplicaStatus> = replicas_of(shard.shard, reply);
    let stale = replicas.iter().map(|replica| replica.staleness_ms).max();
    let outbox = replicas.iter().map(|replica| replica.outbox).max();
    let recall = replicas
        .iter()
        .flat_map(|replica| &replica.spaces)
        .map(|space| space.recall)
        .reduce(f32::min);
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    vec![
        name(shard.shard),
        match shard.slot_end {
            0 => "–".to_owned(),
            end => format!("{}–{}", shard.slot_start, end.saturating_sub(1)),
        },
        if shard.leader == 0 {
            "none".to_owned()
        } else {
            format!("node {}", shard.leader)
        },
        format!("{}/{}", shard.replicas, shard.wanted),
        count(shard.posts),
        shard.lag.to_string(),
        or_dash(stale.filter(|ms| *ms != u32::MAX).map(|ms| format!("{ms} ms"))),
        or_dash(outbox.map(|count| count.to_string())),
        or_dash(indexed(&replicas).map(|share| format!("{:.0} %", share * 100.0))),
        or_dash(recall.map(|recall| format!("{recall:.3}"))),
    ]
}

fn replicas_of(shard: u64, reply: &StatusReply) -> Vec<&ReplicaStatus> {
    reply
        .nodes
        .iter()
        .flat_map(|node| &node.replicas)
        .filter(|replica| replica.shard == shard)
        .collect()
}

/// Share of the live rows that an index answers; `None` without rows.
fn indexed(replicas: &[&ReplicaStatus]) -> Option<f64> {
    let spaces = || replicas.iter().flat_map(|replica| &replica.spaces);
    let rows: u64 = spaces().map(|space| space.rows).sum();
    let indexed: u64 = spaces().map(|space| space.indexed_rows).sum();
    (rows > 0).then(|| indexed as f64 / rows as f64)
}

/// Share of the live rows of the whole cluster that an index answers, 0 to 1; 0 without rows.
pub(crate) fn indexed_share(reply: &StatusReply) -> f64 {
    let all: Vec<&ReplicaStatus> = reply.nodes.iter().flat_map(|node| &node.replicas).collect();
    indexed(&all).unwrap_or(0.0)
}

/// Whether any index is being built.
pub(crate) fn building(reply: &StatusReply) -> bool {
    let mut spaces = reply
        .nodes
        .iter()
        .flat_map(|node| &node.replicas)
        .flat_map(|replica| &replica.spaces);
    spaces.any(|space| space.building)
}
