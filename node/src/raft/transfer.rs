//! Handing leadership to another voter.

use covey_metadata::moving::MAX_BEHIND;
use covey_shared::ids::{NodeId, ReplicaId};
use covey_shared::wire::{RaftMessage, RaftMessageKind, ShardError, TransferFault};
use raft::StateRole;

use super::group::Group;

/// Who may be offered leadership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandTo {
    /// Members that did not say that they would rather not lead: nobody, if all did.
    Fit,
    /// Those, or if there is none any other.
    Anyone,
}

impl Group {
    /// Offers leadership to the voter on `to`, unless an earlier offer is open. Whether it did.
    pub(crate) fn transfer_to(&mut self, to: NodeId) -> Result<bool, ShardError> {
        if !self.serves() {
            return Err(ShardError::NotLeader { hint: self.leader() });
        }
        let raft = &self.raw.raft;
        let mut voters = self.descriptor.members.voters.iter();
        let voter = voters.find(|replica| replica.node() == to);
        let Some((voter, progress)) = voter.and_then(|id| Some((id.0, raft.prs().get(id.0)?))) else {
            return Err(ShardError::Transfer(TransferFault::NotAVoter(to)));
        };
        let entries = raft.raft_log.committed.saturating_sub(progress.matched);
        if entries > MAX_BEHIND {
            return Err(ShardError::Transfer(TransferFault::Behind { entries }));
        }
        if voter == raft.id || raft.lead_transferee.is_some() {
            return Ok(false);
        }
        // An offer holds writes back: none to a member that has not been heard of within an election timeout.
        if !self.is_heard(ReplicaId(voter)) {
            return Err(ShardError::Transfer(TransferFault::Declined));
        }
        self.raw.transfer_leader(voter);
        Ok(true)
    }

    /// Offers leadership to a voter that has everything committed and was heard of within an election timeout; which one, if
    /// there are several, `random` says. No proposal is taken until the offer is accepted or lapses. Whether there was an offer.
    pub(crate) fn hand_over(&mut self, whom: HandTo, random: usize) -> bool {
        let raft = &self.raw.raft;
        if raft.state != StateRole::Leader || raft.lead_transferee.is_some() {
            return false;
        }
        let (me, committed) = (raft.id, raft.raft_log.committed);
        let voters = &self.descriptor.members.voters;
        let others = raft
            .prs()
            .iter()
            .filter(|(id, _)| **id != me && voters.contains(&ReplicaId(**id)));
        let able = others.filter(|(id, progress)| self.is_heard(ReplicaId(**id)) && progress.matched >= committed);
        let (mut fit, unfit): (Vec<u64>, Vec<u64>) = able
            .map(|(id, _)| *id)
            .partition(|id| !self.unfit.contains(&ReplicaId(*id)));
        if fit.is_empty() && whom == HandTo::Anyone {
            fit = unfit;
        }
        fit.sort_unstable();
        let Some(to) = fit.get(random % fit.len().max(1)).copied() else {
            return false;
        };
        self.raw.transfer_leader(to);
        true
    }

    /// Lets an offer lapse after a heartbeat: who accepts does so within a round trip, and the library would refuse
    /// proposals, deletes and trims too, for a whole election timeout.
    pub(super) fn end_late_offer(&mut self) {
        let late = self.raw.raft.election_elapsed > self.limits.heartbeat_ticks;
        if late && self.raw.raft.lead_transferee.is_some() {
            self.raw.raft.abort_leader_transfer();
        }
    }

    /// Whether a call to take over comes from the present leader: the library obeys anybody's.
    pub(crate) fn may_take_over(&self, message: &RaftMessage) -> bool {
        let from_leader = message.term == self.raw.raft.term && message.from.0 == self.raw.raft.leader_id;
        let able = self.restoring.is_none() && !self.is_frozen();
        message.kind != RaftMessageKind::TimeoutNow || (from_leader && able)
    }
}

#[cfg(test)]
#[path = "transfer_test.rs"]
mod tests;
