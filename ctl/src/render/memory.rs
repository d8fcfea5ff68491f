//! What nodes take in memory, part by part, and where the time of their starts went.

use covey_api::v1::{MemoryPart, NodeStatus, StartPhase, StatusReply};
use serde::Serialize;

use super::status::of_shards;
use super::text::{Style, bytes, count, table};

/// One part of a node, over all its replicas.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Line {
    pub(crate) part: String,
    pub(crate) heap_bytes: u64,
    pub(crate) mapped_bytes: u64,
    pub(crate) heap_bytes_per_post: f64,
}

/// Posts of a node, over all its replicas.
pub(crate) fn posts(node: &NodeStatus) -> u64 {
    node.replicas.iter().map(|replica| replica.posts).sum()
}

/// The parts of a node in the order in which it names them; those of its replicas are added up.
pub(crate) fn lines(node: &NodeStatus) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for part in parts(node) {
        let known = lines.iter().position(|line| line.part == part.part);
        let at = known.unwrap_or_else(|| {
            lines.push(Line {
                part: part.part.clone(),
                ..Line::default()
            });
            lines.len() - 1
        });
        lines[at].heap_bytes += part.heap_bytes;
        lines[at].mapped_bytes += part.mapped_bytes;
    }
    let posts = posts(node).max(1);
    for line in &mut lines {
        line.heap_bytes_per_post = line.heap_bytes as f64 / posts as f64;
    }
    lines
}

fn parts(node: &NodeStatus) -> &[MemoryPart] {
    node.memory.as_ref().map_or(&[], |memory| &memory.parts)
}

/// A table per node.
pub(crate) fn memory(reply: &StatusReply, style: Style) -> String {
    each_node(reply, |node| of_node(node, style))
}

fn each_node(reply: &StatusReply, show: impl Fn(&NodeStatus) -> String) -> String {
    let one = |node: &NodeStatus| match node.reachable {
        true => show(node),
        false => format!("node {} does not answer: {}\n", node.node, node.error),
    };
    reply.nodes.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// The table of one node.
pub(crate) fn of_node(node: &NodeStatus, style: Style) -> String {
    let memory = node.memory.clone().unwrap_or_default();
    // The log has bounds of its own.
    let budgeted = parts(node).iter().filter(|part| part.shard != 0 && part.part != "log");
    let used: u64 = budgeted.map(|part| part.heap_bytes).sum();
    format!(
        "{} · {} posts of {} shards\n{}resident {}: {} heap and stacks, {} files (mapped rows, program) · \
         of storage.columns = {} used: {}\n",
        style.bold(&format!("node {}", node.node)),
        count(posts(node)),
        of_shards(node).count(),
        table(&["PART", "HEAP", "MAPPED", "PER POST"], &rows(node), style),
        bytes(node.resident_bytes),
        bytes(memory.anonymous_bytes),
        bytes(memory.file_bytes),
        bytes(memory.budget_bytes),
        bytes(used),
    )
}

/// The parts, their sum, and what of the process is in none of them.
fn rows(node: &NodeStatus) -> Vec<Vec<String>> {
    let (posts, mut lines) = (posts(node), lines(node));
    let line = |part: &str, heap_bytes, mapped_bytes| Line {
        part: part.to_owned(),
        heap_bytes,
        mapped_bytes,
        heap_bytes_per_post: heap_bytes as f64 / posts.max(1) as f64,
    };
    let heap = lines.iter().map(|line| line.heap_bytes).sum();
    let mapped = lines.iter().map(|line| line.mapped_bytes).sum();
    lines.push(line("all parts", heap, mapped));
    let process = node.memory.as_ref().map_or(0, |memory| memory.anonymous_bytes);
    if process > 0 {
        lines.push(line("allocator, threads, buffers", process.saturating_sub(heap), 0));
    }
    let or_dash = |size: u64| if size == 0 { "–".to_owned() } else { bytes(size) };
    let row = |line: &Line| {
        vec![
            line.part.clone(),
            or_dash(line.heap_bytes),
            or_dash(line.mapped_bytes),
            match (posts, line.heap_bytes) {
                (0, _) | (_, 0) => "–".to_owned(),
                _ => format!("{:.1} B", line.heap_bytes_per_post),
            },
        ]
    };
    lines.iter().map(row).collect()
}

/// Where the time of each node's start went.
pub(crate) fn starts(reply: &StatusReply, style: Style) -> String {
    each_node(reply, |node| {
        format!(
            "{}\n{}",
            style.bold(&format!("node {}", node.node)),
            phases(&node.start, style)
        )
    })
}

/// The phases of a start, with their sum.
pub(crate) fn phases(phases: &[StartPhase], style: Style) -> String {
    let total: f64 = phases.iter().map(|phase| phase.time_ms).sum();
    let seconds = |ms: f64| format!("{:.2} s", ms / 1000.0);
    let row = |phase: &StartPhase| {
        let per_s = phase.items as f64 / (phase.time_ms / 1000.0).max(1e-6);
        let counted = phase.items > 0;
        vec![
            phase.phase.clone(),
            seconds(phase.time_ms),
            if counted { count(phase.items) } else { "–".to_owned() },
            if counted { count(per_s as u64) } else { "–".to_owned() },
        ]
    };
    let mut rows: Vec<Vec<String>> = phases.iter().map(row).collect();
    rows.push(vec!["all".to_owned(), seconds(total), String::new(), String::new()]);
    table(&["PHASE", "TIME", "ITEMS", "PER SECOND"], &rows, style)
}

#[cfg(test)]
#[path = "memory_test.rs"]
mod tests;
