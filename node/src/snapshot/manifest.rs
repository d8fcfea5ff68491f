//! What is asked of a snapshot before it is fetched, and what Raft has to know of it.

use covey_shared::layout::ShardPlan;
use covey_shared::wire::SnapshotManifest;
use covey_store::log::LogPosition;

use super::rejoin::Bar;
use crate::raft::Fetched;

/// A snapshot is of this shard, of these members, and has what is needed.
///
/// # Errors
/// Why not.
pub(super) fn check(plan: &ShardPlan, bar: Bar, manifest: &SnapshotManifest) -> Result<(), &'static str> {
    let voters: Vec<u64> = plan.voters.iter().map(|place| place.replica.0).collect();
    if manifest.shard != plan.shard || manifest.slots != plan.slots {
        Err("the snapshot is of another shard")
    } else if manifest.epoch != plan.epoch || manifest.voters != voters || !manifest.learners.is_empty() {
        Err("the snapshot is of other members")
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
        voters: manifest.voters.clone(),
        learners: manifest.learners.clone(),
    }
}

#[cfg(test)]
#[path = "manifest_test.rs"]
mod tests;
