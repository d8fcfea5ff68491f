//! All groups of a node: routes inputs, collects effects. Pure: no clock, no disk, no network, no actor.

use std::collections::{BTreeMap, BTreeSet};

use covey_env::Monotonic;
use covey_shared::command::ItemResult;
use covey_shared::ids::{LogIndex, NodeId, ReplicaId, ShardEpoch, ShardId};
use covey_shared::layout::ShardPlan;
use covey_shared::wire::{RaftMessage, RaftMessageKind, ShardError, WriteReply};

use super::group::Group;
use super::group_start::GroupStart;
use super::proposals::Ticket;
use super::{AppendTask, AppliedTask, Effects, Fetched, GroupStatus, HandTo, RaftLimits, Restore};

/// Number of the record with which a group begins in the log; its readies are numbered from 1 after that.
const FIRST_RECORD: u64 = 1;

/// The outcome of a proposal.
pub type Answer = (Ticket, Result<WriteReply, ShardError>);

/// Messages that were not stepped, by reason.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub struct Dropped {
    /// For a group or replica that is not here.
    pub misaddressed: u64,
    /// Entries that do not follow each other.
    pub malformed: u64,
}

/// The groups of one node.
pub struct Engine {
    node: NodeId,
    limits: RaftLimits,
    groups: BTreeMap<ShardId, Group>,
    /// Groups that this node is a member of, but for which its log has nothing yet.
    dormant: BTreeMap<ShardId, Dormant>,
    dirty: BTreeSet<ShardId>,
    answers: Vec<Answer>,
    /// Shards that have to pull a snapshot, and from where.
    pulls: Vec<(ShardId, NodeId)>,
    settled: Vec<ShardId>,
    dropped: Dropped,
}

/// A group before its first record in the log.
struct Dormant {
    plan: ShardPlan,
    /// What it begins with, once that is known.
    start: Option<GroupStart>,
    /// The log is writing its first record.
    begun: bool,
}

impl Dormant {
    fn first_record(&mut self) -> Option<AppendTask> {
        let start = self.start.as_ref().filter(|_| !self.begun)?;
        self.begun = true;
        Some(AppendTask {
            ready: FIRST_RECORD,
            create: Some(start.log.compacted),
            hard_state: Some(start.log.hard_state),
            must_sync: true,
            ..AppendTask::of(self.plan.shard)
        })
    }
}

impl Engine {
    /// The groups that `node` has a replica of; one without a start is dormant until [`Engine::begin`]. `random` yields one
    /// number per call.
    pub fn new(
        node: NodeId,
        shards: impl IntoIterator<Item = (ShardPlan, Option<GroupStart>)>,
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
            dropped: Dropped::default(),
        };
        for (plan, start) in shards {
            match start {
                Some(start) => engine.add(plan, start, random()),
                None => {
                    let (shard, start, begun) = (plan.shard, None, false);
                    engine.dormant.insert(shard, Dormant { plan, start, begun });
                }
            }
        }
        engine
    }

    fn add(&mut self, plan: ShardPlan, start: GroupStart, random: usize) {
        let (shard, me) = (plan.shard, plan.on(self.node));
        let me = me.expect("only shards with a replica here are given to the engine");
        self.groups
            .insert(shard, Group::new(plan, me, start, self.limits, random));
        self.dirty.insert(shard);
    }

    /// Gives a dormant group its beginning. It takes part once the log has it.
    pub fn begin(&mut self, shard: ShardId, start: GroupStart) {
        if let Some(dormant) = self.dormant.get_mut(&shard) {
            dormant.start = Some(start);
            self.dirty.insert(shard);
        }
    }

    /// Whether the group does not take part yet.
    pub fn is_dormant(&self, shard: ShardId) -> bool {
        self.dormant.contains_key(&shard)
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
        group.step(message, now, random);
        self.answers
            .extend(group.orphans().into_iter().map(|t| (t, Err(ShardError::Uncertain))));
        self.dirty.insert(shard);
    }

    /// Proposes an encoded command; the outcome comes as an [`Answer`] for `ticket`.
    pub fn propose(&mut self, shard: ShardId, epoch: ShardEpoch, data: Vec<u8>, ticket: Ticket) {
        let outcome = match self.groups.get_mut(&shard) {
            None => Err(ShardError::NotHere(shard)),
            Some(group) if group.plan.epoch.range_ver != epoch.range_ver => Err(ShardError::StaleEpoch {
                current: group.plan.epoch,
            }),
            Some(group) => group.propose(data, ticket),
        };
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
                self.add(dormant.plan, start, random());
                self.settled.push(*shard);
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

    /// Offers the leadership of a shard to `to`.
    pub fn transfer(&mut self, shard: ShardId, to: NodeId) -> Result<(), ShardError> {
        self.dirty.insert(shard);
        let group = self.groups.get_mut(&shard).ok_or(ShardError::NotHere(shard))?;
        group.transfer_to(to)
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
            effects.append.extend(first);
            if let Some(group) = self.groups.get_mut(shard) {
                group.collect(effects);
            }
        }
        changed
    }

    /// Outcomes of proposals since the last call.
    pub fn take_answers(&mut self) -> Vec<Answer> {
        std::mem::take(&mut self.answers)
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
        epoch: group.plan.epoch,
        results,
    };
    Some((ticket, Ok(reply)))
}

/// The library trusts that entries follow each other; a peer's bytes are checked before they reach it.
fn well_formed(message: &RaftMessage) -> bool {
    // What nobody sends here, or what the library does not check before it uses it.
    let known = !matches!(
        message.kind,
        RaftMessageKind::ReadIndex | RaftMessageKind::ReadIndexResp | RaftMessageKind::TransferLeader
    );
    let follow = message
        .entries
        .iter()
        .enumerate()
        .all(|(i, e)| e.index == message.index + 1 + i as u64);
    let ordered = message.entries.windows(2).all(|w| w[0].term <= w[1].term);
    known
        && message.term > 0
        && (message.entries.is_empty() || message.kind == RaftMessageKind::Append)
        && follow
        && ordered
        && message.entries.last().is_none_or(|e| e.term <= message.term)
}

#[cfg(test)]
#[path = "engine_test.rs"]
mod tests;
