//! How far a leader's log goes, once a majority has confirmed that it still leads: whoever has applied that much has all that was acknowledged
//! before the question (Ongaro's thesis, §6.4). No clock is asked.

use std::collections::BTreeMap;

use covey_shared::ids::LogIndex;
use covey_shared::wire::{NotReady, ShardError, WriteReply};
use raft::ReadState;

use super::engine::Answer;
use super::group::Group;
use super::proposals::Ticket;

/// Askers of one group at most.
const MAX_ASKERS: usize = 4096;

/// Those who ask, of one group.
#[derive(Debug, Default)]
pub(crate) struct ReadIndexes {
    /// They share the next round of heartbeats.
    waiting: Vec<Ticket>,
    /// Askers of rounds that are on their way.
    asked: BTreeMap<Vec<u8>, Vec<Ticket>>,
    rounds: u64,
    answers: Vec<Answer>,
}

impl ReadIndexes {
    fn len(&self) -> usize {
        self.waiting.len() + self.asked.values().map(Vec::len).sum::<usize>()
    }

    /// Those whose answer will not come: the replica leads no more.
    pub(super) fn drain(&mut self) -> Vec<Ticket> {
        let asked = std::mem::take(&mut self.asked);
        let waiting = std::mem::take(&mut self.waiting);
        asked.into_values().flatten().chain(waiting).collect()
    }

    pub(super) fn take_answers(&mut self) -> Vec<Answer> {
        std::mem::take(&mut self.answers)
    }
}

impl Group {
    /// Answers `ticket` with the index, like a write of nothing.
    pub(crate) fn read_index(&mut self, ticket: Ticket) -> Result<(), ShardError> {
        if !self.serves() {
            return Err(ShardError::NotLeader { hint: self.leader() });
        }
        // What its predecessors acknowledged it knows once it has committed an entry of its own term; the library drops the question before.
        if !self.raw.raft.commit_to_current_term() {
            return Err(ShardError::NotReady(NotReady::Starting));
        }
        if self.reads.len() >= MAX_ASKERS {
            return Err(ShardError::Overloaded { retry_after_ms: 20 });
        }
        self.reads.waiting.push(ticket);
        Ok(())
    }

    /// Sends the next round, if somebody waits for it. Regular heartbeats repeat one that was lost.
    pub(super) fn ask_majority(&mut self) {
        if self.reads.waiting.is_empty() || !self.leads() {
            return;
        }
        self.reads.rounds += 1;
        // Never the same twice, not even after a restart: that begins a new term.
        let round = [self.raw.raft.term.to_le_bytes(), self.reads.rounds.to_le_bytes()].concat();
        let askers = std::mem::take(&mut self.reads.waiting);
        self.reads.asked.insert(round.clone(), askers);
        self.raw.read_index(round);
    }

    /// A majority has answered these rounds.
    pub(super) fn confirmed(&mut self, states: Vec<ReadState>) {
        let epoch = self.descriptor.epoch;
        for state in states {
            let askers = self.reads.asked.remove(&state.request_ctx).unwrap_or_default();
            let reply = |ticket| {
                let (index, results) = (LogIndex(state.index), Vec::new());
                (ticket, Ok(WriteReply { index, epoch, results }))
            };
            self.reads.answers.extend(askers.into_iter().map(reply));
        }
    }
}

#[cfg(test)]
#[path = "read_index_test.rs"]
mod tests;
