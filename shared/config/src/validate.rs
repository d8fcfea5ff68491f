//! Rules that span several keys.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::input::Input;
use crate::units::Address;

/// Notes every broken rule.
pub(crate) fn validate(config: &Config, input: &mut Input) {
    membership(config, input);
    addresses(config, input);
    loopback(config, input);
    timing(config, input);
    sizes(config, input);
    feed(config, input);
}

fn membership(config: &Config, input: &mut Input) {
    let cluster = &config.cluster;
    if cluster.replication.is_multiple_of(2) {
        let message = format!(
            "{} replicas have no better majority than one less; write 1, 3 or 5",
            cluster.replication
        );
        input.problem_of("cluster.replication", message);
    }
    let nodes = config.founders().count();
    if input.node_ids().is_empty() {
        input.problem_of(
            "node",
            "there is no [[node]]; add at least cluster.replication of them".into(),
        );
    } else if nodes < cluster.replication as usize {
        let message = format!(
            "{} replicas need as many nodes when the cluster is founded, there are {nodes} without joined = true",
            cluster.replication
        );
        input.problem_of("cluster.replication", message);
    }
    let keepers = config.nodes.iter().filter(|node| node.meta).count();
    if ![0, 1, 3, 5].contains(&keepers) {
        let message = format!("{keepers} nodes have meta = true; mark 1, 3 or 5 of them, or none");
        input.problem_of("node", message);
    }
    for node in config.nodes.iter().filter(|node| node.meta && node.joined) {
        let message = "a node that came later is not one that the cluster was founded on; leave meta out".to_owned();
        input.problem_of(&format!("node.{}.meta", node.id), message);
    }
    if cluster.name.is_empty() || cluster.name.len() > 64 {
        input.problem_of("cluster.name", "a name has 1 to 64 bytes".into());
    }
}

fn listeners(config: &Config) -> Vec<(String, &Address)> {
    let mut all: Vec<_> = config
        .nodes
        .iter()
        .map(|node| (format!("node.{}.listen", node.id), &node.listen))
        .collect();
    all.push(("coordinator.http_listen".into(), &config.coordinator.http_listen));
    all.push(("coordinator.grpc_listen".into(), &config.coordinator.grpc_listen));
    all
}

fn addresses(config: &Config, input: &mut Input) {
    let mut seen: BTreeMap<&str, String> = BTreeMap::new();
    for (path, address) in listeners(config) {
        if let Some(other) = seen.get(address.as_str()) {
            input.problem_of(&path, format!("{address} is also the address of {other}"));
        } else if address.port() != 0 {
            seen.insert(address.as_str(), path);
        }
    }
}

fn loopback(config: &Config, input: &mut Input) {
    if !config.cluster.insecure_loopback {
        let message = "this version has no TLS yet: set it to true and keep every address on loopback";
        input.problem_of("cluster.insecure_loopback", message.into());
        return;
    }
    for (path, address) in listeners(config)
        .into_iter()
        .filter(|(_, address)| !address.is_loopback())
    {
        let message =
            format!("{address} is not a loopback address; plain TCP (cluster.insecure_loopback) stays on the machine");
        input.problem_of(&path, message);
    }
}

fn timing(config: &Config, input: &mut Input) {
    let raft = &config.raft;
    if raft.election_ticks < 3 * raft.heartbeat_ticks {
        let message = format!(
            "{} must be ≥ 3 × raft.heartbeat_ticks, else one lost heartbeat starts an election",
            raft.election_ticks
        );
        input.problem_of("raft.election_ticks", message);
    }
    let coordinator = &config.coordinator;
    if coordinator.request_deadline > coordinator.max_request_deadline {
        input.problem_of(
            "coordinator.request_deadline",
            "is longer than coordinator.max_request_deadline".into(),
        );
    }
    if config.retention.trim_step < config.retention.trim_interval * 2 {
        input.problem_of(
            "retention.trim_step",
            "must be at least twice retention.trim_interval, or trims never catch up".into(),
        );
    }
    if config.rpc.backoff_min > config.rpc.backoff_max {
        input.problem_of("rpc.backoff_min", "is longer than rpc.backoff_max".into());
    }
}

fn sizes(config: &Config, input: &mut Input) {
    let (raft, ann) = (&config.raft, &config.ann);
    if raft.max_entry > raft.max_uncommitted {
        input.problem_of(
            "raft.max_entry",
            "is larger than raft.max_uncommitted: such an entry could never be proposed".into(),
        );
    }
    // A frame holds one whole entry plus its envelope.
    if raft.max_entry.as_u64() * 2 > config.rpc.max_frame.as_u64() {
        input.problem_of("rpc.max_frame", "must be at least twice raft.max_entry".into());
    }
    // A message that never fits into the queue would never be sent, and its group would stand still.
    if raft.max_entry.as_u64() * 2 > raft.peer_queue.as_u64() {
        input.problem_of("raft.peer_queue", "must be at least twice raft.max_entry".into());
    }
    if raft.max_entry.as_u64() * 4 > raft.wal_segment.as_u64() {
        input.problem_of("raft.wal_segment", "must be at least four times raft.max_entry".into());
    }
    // What no checkpoint covers yet comes on top.
    if raft.max_lag.as_u64() * 2 > raft.max_wal.as_u64() {
        input.problem_of(
            "raft.max_lag",
            "must be at most half of raft.max_wal, or writes stop first".into(),
        );
    }
    if ann.seal_rows > ann.max_segment_rows {
        input.problem_of("ann.seal_rows", "is larger than ann.max_segment_rows".into());
    }
    if ann.min_recall > ann.recall_target {
        input.problem_of("ann.min_recall", "is higher than ann.recall_target".into());
    }
}

/// The rules that hot keys are a part of.
pub(crate) fn feed(config: &Config, input: &mut Input) {
    let feed = &config.feed;
    if feed.result_size > feed.top_k {
        input.problem_of(
            "feed.result_size",
            "is larger than feed.top_k: there would be no reserve".into(),
        );
    }
    if feed.top_k > feed.l2_candidates {
        input.problem_of("feed.top_k", "is larger than feed.l2_candidates".into());
    }
}

#[cfg(test)]
#[path = "validate_test.rs"]
mod tests;
