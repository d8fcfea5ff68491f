//! How old a replica's state may be, without comparing clocks of different machines.
//!
//! A leader is as fresh as the moment at which a majority was last known to follow it in its term: nobody else can have
//! acknowledged anything before. A leader's message with commit index c, sent no earlier than S (see `flight`) by a leader
//! that was confirmed a before, proves: once c is applied here, the state is at least as new as S - a.

use std::collections::BTreeMap;
use std::time::Duration;

use covey_env::Monotonic;
use covey_shared::ids::{LogIndex, ReplicaId};
use covey_shared::members::Members;
use covey_shared::wire::{RaftMessage, RaftMessageKind};
use raft::StateRole;

use super::flight::micros;
use super::group::Group;

#[derive(Debug, Default)]
pub(crate) struct Freshness {
    as_of: Option<Monotonic>,
    /// A leader's message whose commit index is not applied yet.
    pending: Option<(Monotonic, u64)>,
    /// When each member was last known to be in this term.
    contacts: BTreeMap<ReplicaId, Monotonic>,
}

impl Freshness {
    /// The leader had committed no more than `commit` at the moment `as_of`.
    pub(crate) fn heard_from_leader(&mut self, as_of: Monotonic, commit: u64, applied: u64) {
        if applied >= commit {
            self.as_of = self.as_of.max(Some(as_of));
            self.pending = None;
        } else if self.pending.is_none() {
            self.pending = Some((as_of, commit));
        }
    }

    /// `peer` was in this replica's term at `at`.
    pub(crate) fn heard_from_peer(&mut self, peer: ReplicaId, at: Monotonic) {
        let contact = self.contacts.entry(peer).or_insert(at);
        *contact = at.max(*contact);
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

    /// The role or the term is another one.
    pub(crate) fn role_changed(&mut self) {
        self.pending = None;
        self.contacts.clear();
    }

    /// The moment that the state is at least as new as, by what leaders have said.
    pub(crate) fn of_follower(&self) -> Option<Monotonic> {
        self.as_of
    }

    /// The same of a leader that has committed an entry of its own term, once that is applied: its last contact with a majority,
    /// in a joint configuration with both.
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

/// What a message says about how new the state is.
pub(super) struct News {
    from: ReplicaId,
    kind: RaftMessageKind,
    term: u64,
    leader_commit: u64,
    all_matched: LogIndex,
    /// It was not sent before.
    sent: Option<Monotonic>,
    /// How long before that its leader was known to lead.
    confirmed: Option<Duration>,
}

impl News {
    pub(super) fn of(wire: &RaftMessage, sent: Option<Monotonic>) -> News {
        News {
            from: wire.from,
            kind: wire.kind,
            term: wire.term,
            leader_commit: wire.leader_commit,
            all_matched: wire.all_matched,
            sent,
            confirmed: wire.sent.confirmed_us.map(Duration::from_micros),
        }
    }
}

impl Group {
    /// Only what is said in this replica's term counts: in an older one others may lead by now.
    pub(super) fn learn(&mut self, news: &News) {
        if news.term != self.raw.raft.term {
            return;
        }
        match (self.raw.raft.state, news.kind) {
            (StateRole::Follower, RaftMessageKind::Append | RaftMessageKind::Heartbeat) if news.leader_commit > 0 => {
                self.all_matched = self.all_matched.max(news.all_matched.0);
                if let Some((sent, age)) = news.sent.zip(news.confirmed) {
                    let as_of = Monotonic(sent.0.saturating_sub(age));
                    self.freshness
                        .heard_from_leader(as_of, news.leader_commit, self.applied);
                }
            }
            (StateRole::Leader, RaftMessageKind::AppendResponse | RaftMessageKind::HeartbeatResponse) => {
                if let Some(sent) = news.sent {
                    self.freshness.heard_from_peer(news.from, sent);
                }
            }
            _ => {}
        }
    }

    /// The moment that the state here is at least as new as.
    pub(super) fn fresh_as_of(&self, now: Monotonic) -> Option<Monotonic> {
        let leads = self.leads() && self.raw.raft.apply_to_current_term();
        let confirmed = leads.then(|| self.freshness.of_leader(now, self.me, &self.descriptor.members));
        confirmed.flatten().max(self.freshness.of_follower())
    }

    /// How long before `now` a majority was known to follow this leader, in microseconds.
    pub(super) fn confirmed_us(&self, now: Monotonic) -> Option<u64> {
        let confirmed = self.freshness.of_leader(now, self.me, &self.descriptor.members)?;
        Some(micros(now.since(confirmed)))
    }
}

#[cfg(test)]
#[path = "freshness_test.rs"]
mod tests;
