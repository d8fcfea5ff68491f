//! What a group's log keeps, and when it lets go.

use covey_store::log::LogPosition;
use raft::StateRole;

use super::group::Group;
use super::{AppendTask, Effects};

/// Reasons to keep more or less of the log than usual.
#[derive(Debug, Default)]
pub(crate) struct LogRoom {
    /// The oldest entries keep a file of the log alive.
    pinning: bool,
    /// There are too many files.
    pressing: bool,
    /// A snapshot at this index is being fetched, and then goes on from here.
    hold: Option<u64>,
}

impl Group {
    /// A checkpoint has made everything up to `index` safe from any crash.
    pub(crate) fn durable(&mut self, index: u64) {
        self.durable_applied = self.durable_applied.max(index);
    }

    /// The oldest entries keep a file of the log alive: let them go as soon as it is safe, and if there are too many files
    /// (`pressing`) even if a member still needs them.
    pub(crate) fn unpin(&mut self, pressing: bool) {
        self.log_room.pinning = true;
        self.log_room.pressing = pressing;
    }

    /// Keeps what comes after `index` for whoever fetches a snapshot at it; `None` ends that.
    pub(crate) fn hold(&mut self, index: Option<u64>) {
        self.log_room.hold = index;
    }

    /// Entries that this store will not replay are of no use to anyone once every member has them on disk. A member that is
    /// away is waited for until the log has its full length.
    pub(super) fn compact(&mut self, effects: &mut Effects) {
        if self.raw.raft.state == StateRole::Leader {
            let matched = self.raw.raft.prs().iter().map(|(_, p)| p.matched).min().unwrap_or(0);
            self.all_matched = self.all_matched.max(matched);
        }
        let room = &self.log_room;
        let on_all = self.all_matched.min(self.durable_applied);
        let wanted = if room.pinning {
            on_all
        } else {
            on_all.saturating_sub(self.limits.keep_entries)
        };
        let log = self.raw.store();
        let kept = log.index_before(self.limits.max_lag_bytes).max(wanted);
        let unneeded = if room.pressing { self.durable_applied } else { kept };
        let to = room.hold.map_or(unneeded, |index| {
            // A fetch that takes for ever must not fill the disk.
            unneeded.min(index.max(log.index_before(self.limits.max_lag_bytes * 2)))
        });
        let to = to.min(self.durable_applied);
        let step = if room.pinning { 0 } else { self.limits.compact_step };
        if to < log.first() + step {
            return;
        }
        if let Some((index, term)) = self.raw.mut_store().compact(to) {
            self.log_room.pinning = false;
            self.log_room.pressing = false;
            effects.append.push(AppendTask {
                compacted: Some(LogPosition { index, term }),
                ..AppendTask::of(self.me)
            });
        }
    }
}
