//! Replicas that are built from snapshots, in figures and in words.

use covey_api::v1;
use covey_shared::ids::NodeId;
use covey_shared::wire::{RebuildPhase, RebuildStatus};

use super::operations::named;

/// For scripts.
pub(super) fn figures(status: &RebuildStatus) -> v1::RebuildStatus {
    let phase = match status.phase {
        RebuildPhase::Asking => v1::RebuildPhase::Asking,
        RebuildPhase::Waiting => v1::RebuildPhase::Waiting,
        RebuildPhase::Fetching => v1::RebuildPhase::Fetching,
        RebuildPhase::Installing => v1::RebuildPhase::Installing,
    };
    v1::RebuildStatus {
        shard: status.shard.0,
        phase: phase as i32,
        source: status.source.map_or(0, |node| node.0),
        silent: status.silent.iter().map(|node| node.0).collect(),
        bytes: status.bytes,
        total_bytes: status.total_bytes,
        moved_bytes: status.moved_bytes,
        elapsed_ms: status.elapsed_ms,
    }
}

/// For people: what it is at, and how long that may take.
pub(super) fn in_words(node: NodeId, status: &RebuildStatus) -> String {
    let source = status
        .source
        .map_or("a leader".to_owned(), |source| format!("node {source}"));
    let what = match status.phase {
        RebuildPhase::Asking if status.silent.is_empty() => "the other members are asked what they have".to_owned(),
        RebuildPhase::Asking => {
            let silent: Vec<String> = status.silent.iter().map(|node| format!("node {node}")).collect();
            format!(
                "found nothing on its disk, and waits for {}: without an answer of every other member it may not vote",
                silent.join(" and ")
            )
        }
        RebuildPhase::Waiting => format!("waits for a snapshot of {source}"),
        RebuildPhase::Fetching => format!("fetches a snapshot of {source}, {}", progress(status)),
        RebuildPhase::Installing => format!("takes in a snapshot of {source}, {} MiB", status.total_bytes >> 20),
    };
    format!("{} on node {node} is being rebuilt: {what}", named(status.shard))
}

fn progress(status: &RebuildStatus) -> String {
    let (here, total) = (status.bytes >> 20, status.total_bytes >> 20);
    let per_s = status.moved_bytes as f64 / (status.elapsed_ms.max(1) as f64 / 1000.0);
    let left = status.total_bytes.saturating_sub(status.bytes) as f64;
    let eta = if per_s > 0.0 {
        format!(
            ", {:.0} MiB/s, about {:.0} s to go",
            per_s / f64::from(1 << 20),
            left / per_s
        )
    } else {
        String::new()
    };
    format!("{here} of {total} MiB{eta}")
}

#[cfg(test)]
#[path = "rebuild_test.rs"]
mod tests;
