//! A damaged store under a sound log.
//!
//! The replica goes on voting and appending, so that one bad sector does not cost a majority; but it serves nothing, and
//! nothing is applied until a snapshot has taken the place of the store. Then the log goes on from there. Nothing behind what was
//! applied is cut off meanwhile, since nothing further becomes durable.

use covey_shared::members::ShardDescriptor;
use raft::StateRole;

use super::Effects;
use super::group::Group;
use super::restore::{Fetched, Restore};

/// Shortest election timeouts for which it leaves it to the others to stand for election. If none of them can win, it has the
/// longest log: it leads then, to bring them up to date and hand over.
const PATIENCE: usize = 4;

/// How far it is.
#[derive(Debug, Default)]
pub(crate) struct Rebuild {
    /// The snapshot at this index becomes the store.
    at: Option<u64>,
    /// The shard as of that.
    fetched: Option<ShardDescriptor>,
    /// The apply worker has it.
    handed_over: bool,
    /// Ticks in a row at which a healthy replica would have stood for election.
    waited: usize,
}

impl Group {
    /// The store must not be used any more.
    pub(crate) fn freeze(&mut self) {
        if self.rebuild.is_some() {
            return;
        }
        self.rebuild = Some(Rebuild::default());
        let raft = &mut self.raw.raft;
        if raft.state != StateRole::Follower {
            let term = raft.term;
            raft.become_follower(term, raft::INVALID_ID);
        }
        // Longer than the shortest, or the lease of a leader that is gone would never end here.
        self.set_election_timeout(0);
    }

    pub(super) fn is_frozen(&self) -> bool {
        self.rebuild.is_some()
    }

    /// Bytes of committed entries that may wait for the store before further ones are dropped.
    pub(super) fn append_room(&self) -> u64 {
        match self.is_frozen() {
            // Beyond that the leader lets go of its log, and a later snapshot replaces log and store.
            true => self.limits.max_lag_bytes * 2,
            false => self.limits.apply_backlog_bytes,
        }
    }

    /// Whether the library's clock may go on: not yet into a campaign of a replica that cannot apply.
    pub(super) fn may_tick(&mut self) -> bool {
        // Between its old applied index and the snapshot the library finds no entries, and it looks at them when it campaigns.
        if self.restoring.is_some() {
            return false;
        }
        let raft = &self.raw.raft;
        let campaigns = !self.leads() && raft.election_elapsed + 1 >= raft.randomized_election_timeout();
        let patience = (PATIENCE * self.limits.election_ticks) << self.doublings();
        let Some(rebuild) = &mut self.rebuild else {
            return true;
        };
        rebuild.waited = if campaigns { rebuild.waited + 1 } else { 0 };
        !campaigns || rebuild.waited > patience
    }

    /// Whether it leads for others, not only to hand over.
    pub(super) fn serves(&self) -> bool {
        self.leads() && !self.is_frozen()
    }

    /// Asks for a snapshot once the store has come to rest, and hands over the one that arrived.
    pub(super) fn go_on_rebuilding(&mut self, effects: &mut Effects) {
        let applying = self.backlog.applying;
        let Some(rebuild) = self.rebuild.as_mut().filter(|_| !applying) else {
            return;
        };
        if rebuild.at.is_none() {
            // Again and again: who pulls may have something else at hand when it hears of this.
            effects
                .damaged
                .push((self.descriptor.shard, self.raw.raft.raft_log.applied));
        }
        if let Some(index) = rebuild.at.filter(|_| !rebuild.handed_over) {
            rebuild.handed_over = true;
            effects.install.push((self.descriptor.shard, index));
        }
    }

    /// Takes a snapshot behind which the log goes on.
    pub(super) fn replace(&mut self, fetched: &Fetched) -> Restore {
        let at = fetched.at;
        let log = &self.raw.raft.raft_log;
        let Some(rebuild) = self.rebuild.as_mut().filter(|rebuild| rebuild.at.is_none()) else {
            return Restore::NotNeeded;
        };
        if self.backlog.applying {
            return Restore::NotNow;
        }
        if at.index < log.applied {
            // One for a replica that lagged, and has caught up before its store was found damaged.
            return Restore::NotNeeded;
        }
        if at.index > log.committed.min(log.persisted) {
            return Restore::NotNow;
        }
        rebuild.at = Some(at.index);
        rebuild.fetched = Some(fetched.descriptor.clone());
        Restore::Taken
    }

    /// The snapshot is the store now. Whether it was one for a damaged store.
    pub(super) fn end_rebuild(&mut self, index: u64) -> bool {
        let Some(rebuild) = self.rebuild.take_if(|rebuild| rebuild.at == Some(index)) else {
            return false;
        };
        if let Some(fetched) = rebuild.fetched {
            self.adopt(&fetched, index);
        }
        (self.applied, self.durable_applied) = (index, index);
        self.raw.advance_apply_to(index);
        self.backlog.restart(index, self.raw.store());
        self.freshness.applied(index);
        true
    }
}

#[cfg(test)]
#[path = "rebuild_test.rs"]
mod tests;
