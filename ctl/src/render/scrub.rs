//! What the scrubbers of the nodes are at.

use covey_api::v1::{NodeStatus, ScrubStatus, StatusReply};

use super::text::{bytes, count, span};

/// A line for each replica whose files are being read again, or in which something was damaged since its node started.
pub(super) fn lines(reply: &StatusReply) -> Vec<String> {
    let of_node = |node: &NodeStatus| -> Vec<String> {
        let shown = node.scrubs.iter().filter(|scrub| scrub.running || is_damaged(scrub));
        let line =
            |scrub: &ScrubStatus| format!("scrub of shard {} on node {}: {}", scrub.shard, node.node, all(scrub));
        shown.map(line).collect()
    };
    reply.nodes.iter().flat_map(of_node).collect()
}

/// The scrub of one replica in a few words; empty if its node does not answer.
pub(super) fn of_replica(reply: &StatusReply, shard: u64, node: u64) -> String {
    let node = reply.nodes.iter().find(|status| status.node == node);
    let scrub = node.and_then(|node| node.scrubs.iter().find(|scrub| scrub.shard == shard));
    scrub.map(all).unwrap_or_default()
}

fn is_damaged(scrub: &ScrubStatus) -> bool {
    scrub.damaged > 0 || scrub.files > 0
}

fn all(scrub: &ScrubStatus) -> String {
    let mut words = vec![progress(scrub)];
    if scrub.damaged > 0 {
        let (damaged, repaired) = (count(scrub.damaged), count(scrub.repaired));
        words.push(format!(
            "{damaged} damaged vectors, {repaired} made good by other replicas"
        ));
    }
    if scrub.unrepaired > 0 {
        words.push(format!("{} still damaged", count(scrub.unrepaired)));
    }
    if scrub.files > 0 {
        words.push(format!("{} damaged files written again", count(scrub.files)));
    }
    words.join(", ")
}

fn progress(scrub: &ScrubStatus) -> String {
    if scrub.running {
        return format!(
            "{} of {}",
            bytes(scrub.bytes),
            bytes(scrub.total_bytes.max(scrub.bytes))
        );
    }
    match scrub.passes {
        0 => "not yet".to_owned(),
        _ => format!("{} ago, {} rows", span(scrub.ended_ms), count(scrub.rows)),
    }
}

#[cfg(test)]
#[path = "scrub_test.rs"]
mod tests;
