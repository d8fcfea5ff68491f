//! How old a replica's state may be, without comparing clocks of different machines.
//!
//! A leader's message that arrives at T with commit index c proves: once c is applied here, the state is at least as
//! new as T minus the message's flight time. A leader is as fresh as its last contact with a quorum.

use std::collections::BTreeMap;

use covey_env::Monotonic;
use covey_shared::ids::ReplicaId;
use covey_shared::members::Members;

#[derive(Debug, Default)]
pub(crate) struct Freshness {
    as_of: Option<Monotonic>,
    /// A leader's message whose commit index is not applied yet.
    pending: Option<(Monotonic, u64)>,
    contacts: BTreeMap<ReplicaId, Monotonic>,
}

impl Freshness {
    pub(crate) fn heard_from_leader(&mut self, now: Monotonic, commit: u64, applied: u64) {
        if applied >= commit {
            self.as_of = Some(now);
            self.pending = None;
        } else if self.pending.is_none() {
            self.pending = Some((now, commit));
        }
    }

    pub(crate) fn heard_from_peer(&mut self, peer: ReplicaId, now: Monotonic) {
        self.contacts.insert(peer, now);
    }

    /// Who is no member does not count any more.
    pub(crate) fn retain(&mut self, is_member: impl Fn(ReplicaId) -> bool) {
        self.contacts.retain(|replica, _| is_member(*replica));
    }

    pub(crate) fn applied(&mut self, applied: u64) {
        if let Some((at, commit)) = self.pending
            && applied >= commit
        {
            self.as_of = self.as_of.max(Some(at));
            self.pending = None;
        }
    }

    pub(crate) fn role_changed(&mut self) {
        self.pending = None;
    }

    /// The moment that the state of a replica that does not lead is at least as new as.
    pub(crate) fn of_follower(&self) -> Option<Monotonic> {
        self.as_of
    }

    /// The same of a leader that has applied an entry of its own term: its last contact with a majority, in a joint configuration
    /// with both.
    pub(crate) fn of_leader(&self, now: Monotonic, me: ReplicaId, members: &Members) -> Option<Monotonic> {
        let majority = |voters: &[ReplicaId]| {
            let contact = |voter: &ReplicaId| {
                if *voter == me {
                    Some(now)
                } else {
                    self.contacts.get(voter).copied()
                }
            };
            let mut contacts: Vec<Monotonic> = voters.iter().filter_map(contact).collect();
            contacts.sort_unstable_by(|a, b| b.cmp(a));
            contacts.get(voters.len() / 2).copied()
        };
        let incoming = majority(&members.voters)?;
        match members.is_joint() {
            true => Some(incoming.min(majority(&members.outgoing)?)),
            false => Some(incoming),
        }
    }
}

#[cfg(test)]
#[path = "freshness_test.rs"]
mod tests;
