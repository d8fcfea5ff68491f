//! What the scrubbers of nodes found, in figures and in words.

use covey_api::v1;
use covey_shared::ids::NodeId;
use covey_shared::wire::ScrubStatus;

/// For scripts.
pub(super) fn figures(status: &ScrubStatus) -> v1::ScrubStatus {
    v1::ScrubStatus {
        shard: status.shard.0,
        running: status.running,
        passes: status.passes,
        ended_ms: status.ended_ms,
        bytes: status.bytes,
        total_bytes: status.total_bytes,
        rows: status.rows,
        damaged: status.damaged,
        repaired: status.repaired,
        unrepaired: status.unrepaired,
        files: status.files,
    }
}

/// For people: damage that does not heal by itself.
pub(super) fn problem(node: NodeId, status: &ScrubStatus) -> Option<String> {
    (status.unrepaired > 0).then(|| {
        format!(
            "shard {} on node {node} has {} damaged vectors that no other replica gave: searches there leave them out; see \
             docs/running.md, \"A bad sector\"",
            status.shard, status.unrepaired
        )
    })
}

#[cfg(test)]
#[path = "scrub_test.rs"]
mod tests;
