//! What is asked of a snapshot before it is fetched, and what Raft has to know of it.

use covey_shared::ids::ReplicaId;
use covey_shared::slots::SlotRange;
use covey_shared::wire::SnapshotManifest;
use covey_store::log::LogPosition;

use super::rejoin::Bar;
use crate::raft::Fetched;

/// A snapshot is of this replica's shard, has it as a member, and has what is needed. `slots`: those of the shard.
///
/// # Errors
/// Why not.
pub(super) fn check(
    me: ReplicaId,
    slots: SlotRange,
    bar: Bar,
    manifest: &SnapshotManifest,
) -> Result<(), &'static str> {
    let theirs = &manifest.descriptor;
    if theirs.shard != me.shard() || slots != theirs.slots {
        Err("the snapshot is of another shard")
    } else if !theirs.members.has(me) {
        // Raft would not take it.
        Err("the snapshot knows nothing of this replica yet")
    } else if manifest.index < bar.last {
        Err("the snapshot is too old")
    } else {
        Ok(())
    }
}

/// As far as Raft is concerned.
pub(super) fn fetched(manifest: &SnapshotManifest) -> Fetched {
    Fetched {
        at: LogPosition {
            index: manifest.index.0,
            term: manifest.term.0,
        },
        descriptor: manifest.descriptor.clone(),
    }
}

#[cfg(test)]
#[path = "manifest_test.rs"]
mod tests;
