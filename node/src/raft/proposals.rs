//! Proposals made here whose fate is still open, by log position.

use std::collections::BTreeMap;

/// Names the caller that waits for a proposal; given by the actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Open proposals. Bounded by what raft allows to be uncommitted and the store to be behind.
#[derive(Debug, Default)]
pub(crate) struct Proposals {
    open: BTreeMap<u64, (u64, Ticket)>,
}

impl Proposals {
    pub(crate) fn insert(&mut self, index: u64, term: u64, ticket: Ticket) {
        let old = self.open.insert(index, (term, ticket));
        debug_assert!(old.is_none(), "two open proposals at index {index}");
    }

    /// The ticket of the entry that was applied at `index`. Open proposals are drained when leadership is lost, so the
    /// entry is the one that was proposed.
    pub(crate) fn take(&mut self, index: u64, term: u64) -> Option<Ticket> {
        let (proposed, ticket) = self.open.remove(&index)?;
        assert_eq!(
            proposed, term,
            "another entry took the place of an open proposal at index {index}"
        );
        Some(ticket)
    }

    pub(crate) fn drain(&mut self) -> Vec<Ticket> {
        std::mem::take(&mut self.open)
            .into_values()
            .map(|(_, ticket)| ticket)
            .collect()
    }
}
