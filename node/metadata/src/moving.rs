//! Moving a replica of a shard, or its leadership, from one machine to another: what to do next, as a pure function of what is seen.
//!
//! Nothing is remembered between two steps. A step is done when the shard's own state shows it, not when a call said so; so whoever drives a
//! move may die at any point, and anybody may go on, or ask for the same move again. The number of voters never shrinks: the
//! new replica first gets everything without a vote, then takes over the vote of the old one, which goes last.

use std::collections::BTreeSet;

use serde::Serialize;
use thiserror::Error;

use covey_shared::ids::{NodeId, ReplicaId, ShardId};
use covey_shared::members::{ChangeKind, MemberChange, Members};
use covey_shared::metadata::Operation;
use covey_shared::wire::{MemberProgress, RebuildPhase, RebuildStatus, ShardReport};

use crate::pace::Phase;

/// Entries that a replica may lack when it gets its vote, or the leadership: it catches up within a round trip, and writes wait for it.
pub const MAX_BEHIND: u64 = 1000;

/// No node: from there comes what is added.
pub const NOBODY: NodeId = NodeId(0);

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// The shard.
    pub shard: ShardId,
    /// Machine that has a replica; [`NOBODY`] if there is to be one more.
    pub from: NodeId,
    /// Machine that should have it.
    pub to: NodeId,
}

/// What there is.
#[derive(Clone, Debug)]
pub struct Seen<'a> {
    /// As the leader says.
    pub report: &'a ShardReport,
    /// The replica of the shard that [`Move::leaver`] has; `None` too if it does not answer.
    pub left_over: Option<ReplicaId>,
    /// Take back what can be taken back.
    pub cancelled: bool,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Have the leader change the members.
    Propose(MemberChange),
    /// Have this node lead.
    Transfer(NodeId),
    /// Have the node of this replica remove it.
    Destroy(ReplicaId),
    /// Look again soon.
    Wait(Waiting),
    /// There is nothing more to do.
    Done(End),
}

/// What a move waits for.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Waiting {
    /// The new replica fetches what the others have.
    #[error("the new replica is {entries} entries behind")]
    CatchingUp {
        /// How many it lacks.
        entries: u64,
    },
    /// It says nothing, or has not yet: it fetches its first state, its node is away, or has no room, as that one's log says.
    #[error("node {0} has not answered yet: it fetches, is away, or has no room for it")]
    NoSign(NodeId),
    /// Too few would be left without the one that goes.
    #[error("other replicas of the shard are not heard of: {}", words(.0))]
    Silent(Vec<NodeId>),
    /// Who moves leads, and was not relieved.
    #[error("the leader has to go first, and node {0} does not take its place")]
    HandOver(NodeId),
    /// The others are out, and the one that stays has not been elected by itself yet.
    #[error("node {0} goes on alone, and does not lead yet")]
    Election(NodeId),
}

fn words(nodes: &[NodeId]) -> String {
    let nodes: Vec<String> = nodes.iter().map(|node| format!("node {node}")).collect();
    nodes.join(", ")
}

/// How a move ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The replica, or the leadership, is where it should be. What the old node still has goes when that node is back.
    #[error("done")]
    Moved,
    /// It was cancelled. A new replica that was still on its way goes once it has come.
    #[error("cancelled")]
    Cancelled,
    /// The source of a move, or the target of a transfer, has no replica with a vote.
    #[error("node {0} has no replica of this shard with a vote")]
    NothingToMove(NodeId),
    /// The target has one already.
    #[error("node {0} already has a replica of this shard")]
    AlreadyThere(NodeId),
}

impl Move {
    /// What an operation that brings a replica is about.
    pub fn of(what: &Operation) -> Option<Move> {
        let (shard, from, to) = match *what {
            Operation::Move { shard, from, to } => (shard, from, to),
            Operation::AddReplica { shard, to } => (shard, NOBODY, to),
            _ => return None,
        };
        Some(Move { shard, from, to })
    }

    /// The node that is no member any more, or not again, and may still have a replica.
    pub fn leaver(&self, report: &ShardReport, cancelled: bool) -> Option<NodeId> {
        let gone = |node: NodeId| report.descriptor.members.on(node).is_none().then_some(node);
        let left = gone(self.from).filter(|node| *node != NOBODY);
        left.or_else(|| gone(self.to).filter(|_| cancelled))
    }

    /// The next step.
    pub fn next(&self, seen: &Seen<'_>) -> Step {
        let (members, leader) = (&seen.report.descriptor.members, seen.report.replica);
        if members.is_joint() {
            // Forwards only: the new voters may already be needed.
            return match members.voters.contains(&leader) {
                true => self.propose(seen, ChangeKind::LeaveJoint),
                false => best(seen, &members.voters).map_or_else(|| wait(away(seen, None)), Step::Transfer),
            };
        }
        let (old, new) = (members.on(self.from), members.on(self.to));
        let votes = |replica: &ReplicaId| members.voters.contains(replica);
        match (old, new) {
            (Some(old), new) if votes(&old) => self.hand_on(seen, old, new),
            (Some(old), Some(new)) if votes(&new) => self.propose(seen, ChangeKind::Remove(old)),
            (None, Some(new)) if votes(&new) => match seen.left_over {
                Some(gone) => Step::Destroy(gone),
                None => Step::Done(End::Moved),
            },
            (None, new) if self.from == NOBODY => self.add(seen, new),
            _ => Step::Done(End::NothingToMove(self.from)),
        }
    }

    /// The old replica has its vote.
    fn hand_on(&self, seen: &Seen<'_>, old: ReplicaId, new: Option<ReplicaId>) -> Step {
        let descriptor = &seen.report.descriptor;
        let members = &descriptor.members;
        let missing = missing(seen, old);
        let Some(new) = new else {
            return match missing.is_empty() {
                _ if seen.cancelled => seen.left_over.map_or(Step::Done(End::Cancelled), Step::Destroy),
                true => Step::Propose(descriptor.add_learner(self.to)),
                false => wait(missing),
            };
        };
        if members.voters.contains(&new) {
            return Step::Done(End::AlreadyThere(self.to));
        }
        if seen.cancelled {
            return self.propose(seen, ChangeKind::Remove(new));
        }
        if let Some(waits) = self.behind(seen, new) {
            return waits;
        }
        if !missing.is_empty() {
            return wait(missing);
        }
        let others: Vec<ReplicaId> = members.voters.iter().filter(|voter| **voter != old).copied().collect();
        match best(seen, &others).filter(|_| seen.report.replica == old) {
            Some(to) => Step::Transfer(to),
            // A shard with one voter hands over in the joint configuration.
            None => {
                let (promote, demote) = (vec![new], vec![old]);
                self.propose(seen, ChangeKind::Replace { promote, demote })
            }
        }
    }

    /// The new replica has no vote yet, and takes that of nobody.
    fn add(&self, seen: &Seen<'_>, new: Option<ReplicaId>) -> Step {
        let Some(new) = new else {
            return match seen.cancelled {
                true => seen.left_over.map_or(Step::Done(End::Cancelled), Step::Destroy),
                false => Step::Propose(seen.report.descriptor.add_learner(self.to)),
            };
        };
        if seen.cancelled {
            return self.propose(seen, ChangeKind::Remove(new));
        }
        let (promote, demote) = (vec![new], Vec::new());
        self.behind(seen, new)
            .unwrap_or_else(|| self.propose(seen, ChangeKind::Replace { promote, demote }))
    }

    /// Waits until a new replica may have a vote.
    fn behind(&self, seen: &Seen<'_>, new: ReplicaId) -> Option<Step> {
        // In a young shard it lacks little even if it is not there yet; and who is gone again would take its vote along.
        if seen.matched(new) == 0 || !seen.hears(new) {
            return Some(Step::Wait(Waiting::NoSign(self.to)));
        }
        let entries = seen.behind(new);
        (entries > MAX_BEHIND).then_some(Step::Wait(Waiting::CatchingUp { entries }))
    }

    fn propose(&self, seen: &Seen<'_>, kind: ChangeKind) -> Step {
        let expected = seen.report.descriptor.epoch.conf_ver;
        Step::Propose(MemberChange { expected, kind })
    }
}

/// The next step towards `to` as the leader, as the one that leads reports.
pub fn transfer(report: &ShardReport, to: NodeId, cancelled: bool) -> Step {
    let mut voters = report.descriptor.members.voters.iter();
    match voters.any(|voter| voter.node() == to) {
        _ if report.replica.node() == to => Step::Done(End::Moved),
        _ if cancelled => Step::Done(End::Cancelled),
        true => Step::Transfer(to),
        false => Step::Done(End::NothingToMove(to)),
    }
}

/// The next step towards a shard with one replica alone, as that one reports. `seen`: the newest version of the members that is known.
pub fn recover(report: &ShardReport, seen: u64, cancelled: bool) -> Step {
    let (descriptor, keep) = (&report.descriptor, report.replica);
    let alone = descriptor.members == Members::of([keep]) && descriptor.epoch.conf_ver >= seen;
    match alone {
        true if report.members.is_empty() => Step::Wait(Waiting::Election(keep.node())),
        true => Step::Done(End::Moved),
        false if cancelled => Step::Done(End::Cancelled),
        false => Step::Propose(descriptor.recover(keep, seen)),
    }
}

/// What goes on in a move, in words.
pub fn describe(what: &Move, report: &ShardReport) -> String {
    let Move { from, to, .. } = what;
    let members = &report.descriptor.members;
    if members.is_joint() {
        let (before, after) = (numbers(&members.outgoing), numbers(&members.voters));
        return format!("the vote goes over: from nodes {before} to {after}");
    }
    let has = |list: &[ReplicaId], node: &NodeId| list.iter().any(|replica| replica.node() == *node);
    match (
        has(&members.voters, to),
        has(&members.learners, from),
        has(&members.learners, to),
    ) {
        (true, true, _) => format!("node {from} has no vote any more, and leaves"),
        (true, false, _) => format!("the data on node {from} is removed"),
        (false, _, true) => format!("node {to} gets the log, without a vote yet"),
        (false, _, false) => format!("node {to} joins, as a learner"),
    }
}

/// The phase that a move is in, as the leader says, and the new replica, if it is being built.
pub fn phase(what: &Move, report: &ShardReport, rebuild: Option<&RebuildStatus>) -> Phase {
    let members = &report.descriptor.members;
    let votes = |node| members.voters.iter().any(|voter| voter.node() == node);
    if members.is_joint() {
        return Phase::HandOver;
    }
    match members.on(what.to) {
        None => Phase::Join,
        Some(_) if votes(what.to) && members.on(what.from).is_some() => Phase::Leave,
        Some(_) if votes(what.to) => Phase::CleanUp,
        // Behind its snapshot it answers.
        Some(new) if report.members.iter().any(|one| one.replica == new && one.matched.0 > 0) => Phase::CatchUp,
        Some(_) => match rebuild {
            Some(rebuild) if rebuild.phase == RebuildPhase::Installing => Phase::Install,
            Some(rebuild) if rebuild.total_bytes > 0 && rebuild.bytes >= rebuild.total_bytes => Phase::Install,
            _ => Phase::Fetch,
        },
    }
}

fn numbers(replicas: &[ReplicaId]) -> String {
    let nodes: Vec<String> = replicas.iter().map(|replica| replica.node().to_string()).collect();
    nodes.join(", ")
}

impl Seen<'_> {
    /// Entries that a member lacks.
    fn behind(&self, replica: ReplicaId) -> u64 {
        self.report.last.0.saturating_sub(self.matched(replica))
    }

    /// How far a member is known to be; 0 before its first answer.
    fn matched(&self, replica: ReplicaId) -> u64 {
        let member = self.report.members.iter().find(|member| member.replica == replica);
        member.map_or(0, |member| member.matched.0)
    }

    fn hears(&self, replica: ReplicaId) -> bool {
        self.heard().any(|member| member.replica == replica)
    }

    fn heard(&self) -> impl Iterator<Item = &MemberProgress> {
        self.report.members.iter().filter(|member| member.heard)
    }
}

/// The node of the voter that may best lead, of those that are heard of and do not: one that would rather not comes last, then
/// who lacks most.
fn best(seen: &Seen<'_>, voters: &[ReplicaId]) -> Option<NodeId> {
    let able = seen
        .heard()
        .filter(|member| voters.contains(&member.replica) && member.replica != seen.report.replica);
    let best = able.min_by_key(|member| (!member.fit, seen.behind(member.replica)));
    best.map(|member| member.replica.node())
}

/// Nodes of voters that have to be heard of first; empty: enough others than `old` are. They alone are a majority of the voters before and
/// after, so the joint configuration is left whatever becomes of the old replica and the new one. One or two voters cannot do
/// without these two: all others are needed then.
fn missing(seen: &Seen<'_>, old: ReplicaId) -> Vec<NodeId> {
    let voters = seen.report.descriptor.members.voters.len();
    let (away, others) = (away(seen, Some(old)), voters.saturating_sub(1));
    let needed = (voters / 2 + 1).min(others);
    match away.len() + needed <= others {
        true => Vec::new(),
        false => away,
    }
}

/// Nodes of voters that are not heard of, `except` one.
fn away(seen: &Seen<'_>, except: Option<ReplicaId>) -> Vec<NodeId> {
    let heard: BTreeSet<ReplicaId> = seen.heard().map(|member| member.replica).collect();
    let voters = seen.report.descriptor.members.voters.iter();
    let away = voters.filter(|voter| Some(**voter) != except && !heard.contains(voter));
    away.map(|voter| voter.node()).collect()
}

fn wait(nodes: Vec<NodeId>) -> Step {
    Step::Wait(Waiting::Silent(nodes))
}

#[cfg(test)]
#[path = "moving_test.rs"]
mod tests;
