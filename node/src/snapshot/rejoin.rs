//! When a replica that found nothing on its disk may take part in its group.
//!
//! It may be new, or it may have lost everything: then it has forgotten what it voted for and which entries it acknowledged,
//! and could help to elect a leader that lacks them. So it first asks **every** other member with a vote. Whoever it voted for, and
//! whoever sent it entries, is among them; hence their highest term covers all terms in which it ever voted, and their highest
//! log index all entries that it acknowledged and that are, or ever will be, committed. It takes part again once it holds
//! everything committed up to that index, and votes in later terms only. Without an answer from all of them it waits: one
//! that is away for good has to be brought back first. And before a group begins anew, every other node of the cluster has to say that it has nothing of the shard: it may
//! have moved to nodes that this one never knew as members.

use bincode::{Decode, Encode};
use covey_shared::ids::{LogIndex, NodeId, ReplicaId, Term};
use covey_shared::wire::Standing;
use covey_store::log::HardState;

/// What this replica must hold, and how far it must not vote, before it takes part: what all other members knew at some moment
/// after it lost its data. A later answer may be lower (somebody had entries that were never committed), and is as good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Bar {
    /// Highest term.
    pub(crate) term: Term,
    /// Highest log index.
    pub(crate) last: LogIndex,
}

impl Bar {
    /// The lower of two.
    pub(crate) fn lower(self, other: Bar) -> Bar {
        Bar {
            term: self.term.min(other.term),
            last: self.last.min(other.last),
        }
    }

    /// What its group begins with behind a snapshot that `leader` sent in this term.
    pub(crate) fn hard_state(self, me: ReplicaId, leader: ReplicaId, leader_term: Term, index: LogIndex) -> HardState {
        // In the leader's term its vote is given to the leader, in a later one that it may have voted in, to itself, which is
        // of no use to anybody.
        let vote = if leader_term >= self.term { leader } else { me };
        HardState {
            term: self.term.max(leader_term).0,
            vote: vote.0,
            commit: index.0,
        }
    }
}

/// What the other members say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answers {
    /// These did not answer.
    Silent(Vec<NodeId>),
    /// Nobody has anything: the group is new. Begin with this.
    New(HardState),
    /// There is something to fetch.
    Known(Bar),
}

/// Judges the answers of all other members of the group of `me`.
pub(crate) fn judge(me: ReplicaId, others: &[(NodeId, Option<Standing>)]) -> Answers {
    let silent: Vec<NodeId> = others
        .iter()
        .filter(|(_, s)| s.is_none())
        .map(|(node, _)| *node)
        .collect();
    if !silent.is_empty() {
        return Answers::Silent(silent);
    }
    let standings = || others.iter().filter_map(|(_, standing)| *standing);
    let term = standings().map(|s| s.term).max().unwrap_or_default();
    let last = standings().map(|s| s.last).max().unwrap_or_default();
    if last > LogIndex(0) {
        return Answers::Known(Bar { term, last });
    }
    // Somebody may have campaigned already. This replica may have voted then: a vote for itself, which it never uses, keeps it
    // from voting in that term again.
    Answers::New(HardState {
        term: term.0,
        vote: if term.0 > 0 { me.0 } else { 0 },
        commit: 0,
    })
}

/// Who leads, as far as the others know themselves.
pub(crate) fn leader(others: &[(NodeId, Option<Standing>)]) -> Option<NodeId> {
    let leaders = others
        .iter()
        .filter_map(|(node, standing)| Some((*node, standing.filter(|s| s.leads)?)));
    leaders.max_by_key(|(_, standing)| standing.term).map(|(node, _)| node)
}

#[cfg(test)]
#[path = "rejoin_test.rs"]
mod tests;
