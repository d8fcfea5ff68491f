//! How old a replica's state may be, without comparing clocks of different machines.
//!
//! A leader's message that arrives at T with commit index c proves: once c is applied here, the state is at least as
//! new as T minus the message's flight time. A leader is as fresh as its last contact with a quorum.

use std::collections::BTreeMap;

use covey_env::Monotonic;
use covey_shared::ids::ReplicaId;

#[derive(Debug)]
pub(crate) struct Freshness {
    voters: usize,
    as_of: Option<Monotonic>,
    /// A leader's message whose commit index is not applied yet.
    pending: Option<(Monotonic, u64)>,
    contacts: BTreeMap<ReplicaId, Monotonic>,
}

impl Freshness {
    pub(crate) fn new(voters: usize) -> Self {
        Freshness {
            voters,
            as_of: None,
            pending: None,
            contacts: BTreeMap::new(),
        }
    }

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

    /// The moment that the state is at least as new as. `leads`: it leads and has applied an entry of its own term.
    pub(crate) fn as_of(&self, now: Monotonic, leads: bool) -> Option<Monotonic> {
        if !leads {
            return self.as_of;
        }
        // With itself, the leader needs `voters / 2` others for a majority.
        let others = self.voters / 2;
        if others == 0 {
            return Some(now);
        }
        let mut contacts: Vec<Monotonic> = self.contacts.values().copied().collect();
        contacts.sort_unstable_by(|a, b| b.cmp(a));
        contacts.get(others - 1).copied()
    }
}

#[cfg(test)]
#[path = "freshness_test.rs"]
mod tests;
