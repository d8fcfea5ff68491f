//! How long a replica waits for a leader before it stands for election itself.
//!
//! Drawn from [e, 2e), e the election timeout, as Raft has it (Ongaro & Ousterhout 2014, §5.2). A vote must be on disk
//! before it counts, so where syncs take a good part of e each candidate is overtaken by the next, and nobody wins. So
//! everybody's draw doubles with each term that has ended without a leader, up to 8 times, until there is one.

use super::group::Group;

/// Doublings at most.
const MAX_DOUBLINGS: u32 = 3;

/// What every draw is less than, in ticks.
pub(super) fn max_ticks(election_ticks: usize) -> usize {
    (2 * election_ticks) << MAX_DOUBLINGS
}

impl Group {
    /// The library draws from the operating system; ours come from `Env`, so that a seed replays exactly.
    /// The preferred leader draws the shortest one, which spreads leaders over the nodes.
    pub(super) fn set_election_timeout(&mut self, random: usize) {
        let least = self.limits.election_ticks;
        let doublings = self.doublings();
        let ticks = if self.is_preferred() && !self.is_frozen() && doublings == 0 {
            least
        } else {
            let span = least << doublings;
            span + 2 + random % (span - 2)
        };
        self.raw.raft.set_randomized_election_timeout(ticks);
    }

    /// By which all draws are longer. The first election is the rule, and it succeeds.
    pub(super) fn doublings(&self) -> u32 {
        self.elections.saturating_sub(1).min(MAX_DOUBLINGS)
    }

    /// Follows the library: it may have another role, term or leader.
    pub(super) fn after_change(&mut self, random: usize) {
        let raft = &self.raw.raft;
        let (role, led) = ((raft.state, raft.term), raft.leader_id != raft::INVALID_ID);
        let calmed = led && self.elections > 0;
        if calmed {
            self.elections = 0;
        } else if !led && role.1 > self.role.1 {
            self.elections = self.elections.saturating_add(1);
        }
        if role != self.role || calmed {
            self.set_election_timeout(random);
        }
        if role != self.role {
            self.role = role;
            self.freshness.role_changed();
        }
    }
}

#[cfg(test)]
#[path = "election_test.rs"]
mod tests;
