//! All groups of a node: routes inputs, collects effects. Pure: no clock, no disk, no network, no actor.

use std::collections::{BTreeMap, BTreeSet};

use covey_env::Monotonic;
use covey_shared::command::ItemResult;
use covey_shared::ids::{LogIndex, NodeId, ReplicaId, ShardEpoch, ShardId};
use covey_shared::members::{ChangeKind, MemberChange};
use covey_shared::wire::{RaftMessage, RaftMessageKind, ShardError, ShardReport, WriteReply};

use super::flight::Flights;
use super::group::Group;
use super::group_start::GroupStart;
use super::hosting::{Dormant, LAST_RECORD, Leaving};
use super::proposals::Ticket;
use super::well_formed::well_formed;
use super::{AppliedTask, Effects, Fetched, GroupStatus, HandTo, RaftLimits, Restore};

/// The outcome of a proposal.
pub type Answer = (Ticket, Result<WriteReply, ShardError>);

/// Messages that were not stepped, by reason.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub struct Dropped {
    /// For a group or replica that is not here, or from one that is no member.
    pub misaddressed: u64,
    /// Entries that do not follow each other.
    pub malformed: u64,
}

/// The groups of one node.
pub struct Engine {
    pub(super) node: NodeId,
    limits: RaftLimits,
    pub(super) groups: BTreeMap<ShardId, Group>,
    /// Groups that this node is a member of, but for which its log has nothing yet.
    pub(super) dormant: BTreeMap<ShardId, Dormant>,
    pub(super) dirty: BTreeSet<ShardId>,
    pub(super) answers: Vec<Answer>,
    /// Shards that have to pull a snapshot, and from where.
    pulls: Vec<(ShardId, NodeId)>,
    settled: Vec<ShardId>,
    /// Groups that this node has left; their last record is on its way to the log.
    pub(super) leaving: BTreeMap<ShardId, Leaving>,
    /// Those whose last record is on disk.
    pub(super) removed: Vec<ShardId>,
    /// Replicas that were here, and must never be again.
    pub(super) buried: BTreeSet<ReplicaId>,
    pub(super) strangers: BTreeMap<ReplicaId, NodeId>,
    dropped: Dropped,
    flights: Flights,
}

impl Engine {
    /// The groups that `node` has a replica of; one without a start is dormant until [`Engine::begin`]. `random` yields one
    /// number per call.
    pub fn new(
        node: NodeId,
        replicas: impl IntoIterator<Item = (ReplicaId, Option<GroupStart>)>,
        limits: RaftLimits,
        mut random: impl FnMut() -> usize,
    ) -> Engine {
        let mut engine = Engine {
            node,
            limits,
            groups: BTreeMap::new(),
            dormant: BTreeMap::new(),
            dirty: BTreeSet::new(),
            answers: Vec::new(),
            pulls: Vec::new(),
            settled: Vec::new(),
            leaving: BTreeMap::new(),
            removed: Vec::new(),
            buried: BTreeSet::new(),
            strangers: BTreeMap::new(),
            dropped: Dropped::default(),
            flights: Flights::new(random()),
        };
        for (me, start) in replicas {
            match start {
                Some(start) => engine.add(me, start, random()),
                None => engine.host(me),
            }
        }
        engine
    }

    fn add(&mut self, me: ReplicaId, start: GroupStart, random: usize) {
        assert_eq!(
            me.node(),
            self.node,
            "only replicas of this node are given to the engine"
        );
        let group = Group::new(me, start, self.limits, random);
        self.groups.insert(me.shard(), group);
        self.dirty.insert(me.shard());
    }

    /// Steps a fetched snapshot into its group.
    pub fn restore(&mut self, shard: ShardId, fetched: &Fetched) -> Restore {
        self.dirty.insert(shard);
        match self.groups.get_mut(&shard) {
            Some(group) => group.restore(fetched),
            None => Restore::NotNeeded,
        }
    }

    /// The store of a shard holds a snapshot at `index`, safe from any crash.
    pub fn installed(&mut self, shard: ShardId, index: u64) {
        if let Some(group) = self.groups.get_mut(&shard) {
            if group.installed(index) {
                self.settled.push(shard);
            }
            self.dirty.insert(shard);
        }
    }

    /// The store of a shard cannot be trusted any more: a snapshot has to take its place.
    pub fn freeze(&mut self, shard: ShardId) {
        if let Some(group) = self.groups.get_mut(&shard) {
            group.freeze();
            self.dirty.insert(shard);
        }
    }

    /// Keeps a group's log behind `index` for a snapshot that is being fetched; `None` ends that.
    pub fn hold(&mut self, shard: ShardId, index: Option<u64>) {
        if let Some(group) = self.groups.get_mut(&shard) {
            group.hold(index);
        }
    }

    /// Shards that go on, or begin, behind a snapshot or without one, since the last call.
    pub fn take_settled(&mut self) -> Vec<ShardId> {
        std::mem::take(&mut self.settled)
    }

    /// Shards that have to pull a snapshot, and from where, since the last call.
    pub fn take_pulls(&mut self) -> Vec<(ShardId, NodeId)> {
        std::mem::take(&mut self.pulls)
    }

    /// One step of every group's logical clock.
    pub fn tick(&mut self, mut random: impl FnMut() -> usize) {
        for (shard, group) in &mut self.groups {
            group.tick(random());
            self.answers
                .extend(group.orphans().into_iter().map(|t| (t, Err(ShardError::Uncertain))));
            self.dirty.insert(*shard);
        }
    }

    /// Takes in a message from another node.
    pub fn step(&mut self, message: RaftMessage, now: Monotonic, random: usize) {
        let shard = message.shard;
        let Some(group) = self.groups.get_mut(&shard).filter(|g| g.is_for(&message)) else {
            self.dropped.misaddressed += 1;
            self.note_stranger(&message);
            return;
        };
        if !well_formed(&message) || !group.may_take_over(&message) {
            self.dropped.malformed += 1;
            return;
        }
        if message.kind == RaftMessageKind::Snapshot {
            self.pulls
                .extend(group.called_to_pull(&message).map(|from| (shard, from)));
            self.dirty.insert(shard);
            return;
        }
        let sent = self.flights.arrived(message.from.node(), message.sent, now);
        group.step(message, sent, random);
        self.answers
            .extend(group.orphans().into_iter().map(|t| (t, Err(ShardError::Uncertain))));
        self.dirty.insert(shard);
    }

    /// Proposes a change of a shard's members; the outcome comes as an [`Answer`] for `ticket`.
    pub fn change_members(&mut self, shard: ShardId, change: &MemberChange, ticket: Ticket) {
        let outcome = match self.groups.get_mut(&shard) {
            None => Err(ShardError::NotHere(shard)),
            Some(group) if matches!(change.kind, ChangeKind::Recover { .. }) => Err(group.recover(change)),
            Some(group) => group.propose_members(change, ticket),
        };
        self.dirty.insert(shard);
        self.note(shard, outcome, ticket);
    }

    /// Proposes an encoded command; the outcome comes as an [`Answer`] for `ticket`.
    pub fn propose(&mut self, shard: ShardId, epoch: ShardEpoch, data: Vec<u8>, ticket: Ticket) {
        let outcome = match self.groups.get_mut(&shard) {
            None => Err(ShardError::NotHere(shard)),
            Some(group) if group.descriptor().epoch.range_ver != epoch.range_ver => Err(ShardError::StaleEpoch {
                current: group.descriptor().epoch,
            }),
            Some(group) if group.is_behind(epoch) => Err(ShardError::NotLeader { hint: None }),
            Some(group) => group.propose(data, ticket),
        };
        self.note(shard, outcome, ticket);
    }

    /// Asks which index covers all that was acknowledged in a shard before; it comes as an [`Answer`] for `ticket`.
    pub fn read_index(&mut self, shard: ShardId, epoch: ShardEpoch, ticket: Ticket) {
        let outcome = match self.groups.get_mut(&shard) {
            None => Err(ShardError::NotHere(shard)),
            Some(group) if group.is_behind(epoch) => Err(ShardError::NotLeader { hint: None }),
            Some(group) => group.read_index(ticket),
        };
        self.note(shard, outcome, ticket);
    }

    fn note(&mut self, shard: ShardId, outcome: Result<(), ShardError>, ticket: Ticket) {
        match outcome {
            Ok(()) => {
                self.dirty.insert(shard);
            }
            Err(error) => self.answers.push((ticket, Err(error))),
        }
    }

    /// The log has these (group, ready) pairs on disk. `random` yields one number per call.
    pub fn persisted(&mut self, readies: &[(ShardId, u64)], effects: &mut Effects, mut random: impl FnMut() -> usize) {
        for (shard, number) in readies {
            if let Some(group) = self.groups.get_mut(shard) {
                if group.persisted(*number, effects) {
                    self.settled.push(*shard);
                }
                self.dirty.insert(*shard);
            } else if let Some(dormant) = self.dormant.remove(shard) {
                let start = dormant.start.expect("only what has begun is in the log");
                self.add(dormant.me, start, random());
                self.settled.push(*shard);
            } else if *number == LAST_RECORD && self.leaving.remove(shard).is_some() {
                self.removed.push(*shard);
            }
        }
    }

    /// A store has applied a task.
    pub fn applied(&mut self, task: AppliedTask) {
        let Some(group) = self.groups.get_mut(&task.shard) else {
            return;
        };
        for (index, term, results) in task.results {
            self.answers.extend(answer(group, index, term, results));
        }
        group.applied(task.index);
        self.dirty.insert(task.shard);
    }

    /// A checkpoint has made everything up to `index` safe from any crash.
    pub fn checkpointed(&mut self, shard: ShardId, index: u64) {
        if let Some(group) = self.groups.get_mut(&shard) {
            group.durable(index);
            self.dirty.insert(shard);
        }
    }

    /// The group's oldest entries keep a log file alive: compact as far as it is safe, and if there are too many files
    /// (`pressing`) even if a member still needs them.
    pub fn unpin(&mut self, shard: ShardId, pressing: bool) {
        if let Some(group) = self.groups.get_mut(&shard) {
            group.unpin(pressing);
            self.dirty.insert(shard);
        }
    }

    /// Offers the leadership of all groups that this node leads to others that are up to date. `random` yields one number
    /// per call.
    pub fn hand_over(&mut self, to: HandTo, mut random: impl FnMut() -> usize) {
        for (shard, group) in &mut self.groups {
            if group.hand_over(to, random()) {
                self.dirty.insert(*shard);
            }
        }
    }

    /// Offers the leadership of a shard to `to`. Whether that is a new offer.
    pub fn transfer(&mut self, shard: ShardId, to: NodeId) -> Result<bool, ShardError> {
        self.dirty.insert(shard);
        let group = self.groups.get_mut(&shard).ok_or(ShardError::NotHere(shard))?;
        group.transfer_to(to)
    }

    /// Lets what leaves say how old it is. `now` lies before all of it was collected.
    pub fn stamp(&self, send: &mut [(NodeId, RaftMessage)], now: Monotonic) {
        for (node, message) in send {
            let group = self.groups.get(&message.shard);
            // What was held back until its term was over says nothing about now.
            let Some(group) = group.filter(|group| group.raw.raft.term == message.term) else {
                continue;
            };
            message.sent = self.flights.stamp(*node, now);
            if message.leader_commit > 0 {
                message.sent.confirmed_us = group.confirmed_us(now);
            }
        }
    }

    /// A message to this replica was dropped on the way out.
    pub fn unreachable(&mut self, shard: ShardId, to: ReplicaId) {
        if let Some(group) = self.groups.get_mut(&shard) {
            group.unreachable(to);
            self.dirty.insert(shard);
        }
    }

    /// Collects what changed groups want. Call it only when the log can take a batch.
    pub fn collect(&mut self, effects: &mut Effects) -> Vec<ShardId> {
        let changed: Vec<ShardId> = std::mem::take(&mut self.dirty).into_iter().collect();
        for shard in &changed {
            let first = self.dormant.get_mut(shard).and_then(Dormant::first_record);
            let last = self.leaving.get_mut(shard).and_then(Leaving::last_record);
            effects.append.extend(first.into_iter().chain(last));
            if let Some(group) = self.groups.get_mut(shard) {
                group.collect(effects);
                self.answers.extend(group.reads.take_answers());
            }
        }
        effects.strangers.extend(std::mem::take(&mut self.strangers));
        changed
    }

    /// Outcomes of proposals since the last call.
    pub fn take_answers(&mut self) -> Vec<Answer> {
        std::mem::take(&mut self.answers)
    }

    /// What is known of a shard's members. `None` while the replica takes no part.
    pub fn report(&self, shard: ShardId) -> Option<ShardReport> {
        self.groups.get(&shard).map(Group::report)
    }

    /// The same of all shards.
    pub fn reports(&self) -> Vec<ShardReport> {
        self.groups.values().map(Group::report).collect()
    }

    /// State of one group.
    pub fn status(&self, shard: ShardId, now: Monotonic) -> Option<GroupStatus> {
        self.groups.get(&shard).map(|g| g.status(now))
    }

    /// State of all groups.
    pub fn statuses(&self, now: Monotonic) -> Vec<(ShardId, GroupStatus)> {
        self.groups.iter().map(|(shard, g)| (*shard, g.status(now))).collect()
    }

    /// Messages that were not stepped.
    pub fn dropped(&self) -> Dropped {
        self.dropped
    }
}

fn answer(group: &mut Group, index: u64, term: u64, results: Vec<ItemResult>) -> Option<Answer> {
    let ticket = group.take_proposal(index, term)?;
    let reply = WriteReply {
        index: LogIndex(index),
        epoch: group.descriptor().epoch,
        results,
    };
    Some((ticket, Ok(reply)))
}

#[cfg(test)]
#[path = "engine_test.rs"]
mod tests;
