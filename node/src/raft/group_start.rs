//! What a group begins with, and its log as the library wants it.

use covey_shared::members::{Members, ShardDescriptor};
use covey_store::log::RecoveredGroup;
use raft::eraftpb::{Entry, HardState};

use super::convert;
use super::log_view::LogView;
use super::membership::conf_state;

/// What the disk knew of a group when the node started.
#[derive(Debug)]
pub struct GroupStart {
    /// What the log knew.
    pub log: RecoveredGroup,
    /// Applied index of the store.
    pub applied: u64,
    /// The shard as of the applied index.
    pub descriptor: ShardDescriptor,
    /// The store was damaged, and is empty: nothing is applied before a snapshot has taken its place.
    pub damaged: bool,
}

impl GroupStart {
    /// Nothing but a hard state.
    pub(crate) fn new(descriptor: ShardDescriptor, hard_state: covey_store::log::HardState) -> GroupStart {
        GroupStart {
            log: RecoveredGroup {
                hard_state,
                ..RecoveredGroup::default()
            },
            applied: 0,
            descriptor,
            damaged: false,
        }
    }
}

/// The log of a group that has applied up to `applied`.
pub(super) fn log_view(members: &Members, found: RecoveredGroup, applied: u64) -> LogView {
    let entries: Vec<Entry> = found.entries.into_iter().map(convert::entry).collect();
    let last = found.compacted.index + entries.len() as u64;
    assert!(
        applied <= last,
        "the store has applied {applied}, but the log ends at {last}"
    );
    let hard_state = HardState {
        term: found.hard_state.term,
        vote: found.hard_state.vote,
        // A commit index alone is not fsynced; what was applied or is compacted was committed.
        commit: found
            .hard_state
            .commit
            .max(applied)
            .max(found.compacted.index)
            .min(last),
        ..HardState::default()
    };
    let conf = conf_state(members);
    LogView::new(hard_state, conf, (found.compacted.index, found.compacted.term), entries)
}
