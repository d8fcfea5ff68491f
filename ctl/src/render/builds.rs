//! Whether builds and merges of vector indexes are paused, and what waits for them.

use std::fmt::Write as _;

use covey_api::v1::{BuildsReply, BuildsStatus, StatusReply};

use super::text::{Style, count, span};

/// A line for each node that was told to pause or to go on.
pub(crate) fn answer(reply: &BuildsReply, style: Style) -> String {
    let mut out = String::new();
    for node in &reply.nodes {
        let line = match &node.builds {
            Some(builds) => format!("node {}: {}", node.node, in_words(builds)),
            None => style.bad(&format!("! node {} did not answer: {}", node.node, node.error)),
        };
        writeln!(out, "{line}").expect("writing to a string");
    }
    out
}

/// A line for each node on which they are paused.
pub(super) fn lines(reply: &StatusReply) -> Vec<String> {
    let paused = reply.nodes.iter().filter_map(|node| {
        let builds = node.builds.as_ref().filter(|builds| builds.pause_left_ms > 0)?;
        Some(format!("builds on node {}: {}", node.node, in_words(builds)))
    });
    paused.collect()
}

/// What is left of the pause of each node that has one, in milliseconds.
pub(super) fn paused(reply: &StatusReply) -> Vec<(u64, u64)> {
    let left = reply
        .nodes
        .iter()
        .filter_map(|node| Some((node.node, node.builds.as_ref()?.pause_left_ms)));
    left.filter(|(_, left)| *left > 0).collect()
}

fn in_words(builds: &BuildsStatus) -> String {
    let (indexes, merges) = (
        count(builds.waiting_indexes.into()),
        count(builds.waiting_merges.into()),
    );
    let wait = format!("{indexes} segments wait for their index and are scanned, {merges} replicas wait to merge");
    match builds.pause_left_ms {
        0 => format!("builds go on; {wait}"),
        left => format!("paused for {} more, then they go on by themselves; {wait}", span(left)),
    }
}

#[cfg(test)]
#[path = "builds_test.rs"]
mod tests;
