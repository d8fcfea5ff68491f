//! Whether an operation may begin, as the state behind the log alone says: all replicas decide alike.

use covey_shared::ids::{NodeId, OperationId, ReplicaId, ShardId, UnixMillis};
use covey_shared::members::ShardDescriptor;
use covey_shared::metadata::{
    MAX_BY, MAX_LIMIT_MS, MAX_MAINTENANCE_MS, NodeRecord, Operation, OperationFault, OperationRecord, Start,
};

use crate::state::Metadata;

/// Operations that run at once: what is kept, and looked through at each turn, stays small.
pub(crate) const MAX_RUNNING: usize = 256;

/// Whether somebody may be called that.
pub(crate) fn named(by: &str) -> Result<(), OperationFault> {
    match by.len() {
        1..=MAX_BY => Ok(()),
        bytes => Err(invalid(format!(
            "the name of who asks has 1 to {MAX_BY} bytes, not {bytes}"
        ))),
    }
}

fn invalid(words: impl Into<String>) -> OperationFault {
    OperationFault::Invalid(words.into())
}

/// Whether one is a retry of the other. What is asked of a node twice is asked once, even if the times differ.
fn equal(one: &Operation, other: &Operation) -> bool {
    let node = one.node().filter(|node| other.node() == Some(*node));
    one == other || node.is_some() && std::mem::discriminant(one) == std::mem::discriminant(other)
}

impl Metadata {
    /// Whether it may begin at `time`; the equal one that runs already, if there is one.
    ///
    /// # Errors
    /// Why it may not.
    pub(crate) fn admit(&self, time: UnixMillis, start: &Start) -> Result<Option<OperationId>, OperationFault> {
        named(&start.by)?;
        self.in_bounds(time, start)?;
        if let Some(parent) = start.parent {
            let record = self.operations.get(&parent);
            let record = record.ok_or(OperationFault::UnknownOperation(parent))?;
            if !record.runs() || record.cancelled {
                return Err(OperationFault::Ended(parent));
            }
        }
        let same = |record: &&OperationRecord| !record.cancelled && equal(&record.what, &start.what);
        if let Some(runs) = self.running().find(same) {
            return Ok(Some(runs.id));
        }
        match start.what {
            Operation::Move { shard, from, to } => self.admit_move(shard, from, to)?,
            Operation::TransferLeader { shard, to } => self.admit_transfer(shard, to)?,
            Operation::UnsafeRecover { shard, keep } => self.admit_recovery(shard, keep)?,
            Operation::AddReplica { shard, to } => self.admit_addition(shard, to)?,
            Operation::Maintenance { node, .. } => self.free(node).map(|_| ())?,
            Operation::Drain { node } => {
                self.free(node)?;
                self.room(node)?;
            }
            Operation::Repair { node } => {
                self.free(node)?.away_since.ok_or(OperationFault::NotAway(node))?;
                self.room(node)?;
            }
            Operation::Add { node } => match self.free(node)?.drained {
                _ if !self.knows_all_shards() => return Err(OperationFault::NotYetKnown),
                true => return Err(OperationFault::Drained(node)),
                false => {}
            },
        }
        match self.running().count() {
            ..MAX_RUNNING => Ok(None),
            many => Err(OperationFault::TooMany(many as u64)),
        }
    }

    fn in_bounds(&self, time: UnixMillis, start: &Start) -> Result<(), OperationFault> {
        if !(1..=MAX_LIMIT_MS).contains(&start.limit_ms) {
            return Err(invalid("an operation may take 1 ms to 30 days"));
        }
        match start.what {
            Operation::Maintenance { until, .. } if until <= time => Err(invalid("maintenance ends in the future")),
            Operation::Maintenance { until, .. } if until.since(time) > MAX_MAINTENANCE_MS => {
                Err(invalid("maintenance takes a week at most"))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn known(&self, node: NodeId) -> Result<&NodeRecord, OperationFault> {
        let unknown = || self.unless_early(OperationFault::UnknownNode(node));
        self.nodes.get(&node).ok_or_else(unknown)
    }

    fn shard(&self, shard: ShardId) -> Result<&ShardDescriptor, OperationFault> {
        let unknown = || self.unless_early(OperationFault::UnknownShard(shard));
        self.shards.get(&shard).ok_or_else(unknown)
    }

    /// What is missing may only not have been seen yet.
    fn unless_early(&self, fault: OperationFault) -> OperationFault {
        match self.knows_all_shards() {
            true => fault,
            false => OperationFault::NotYetKnown,
        }
    }

    /// The node, if no operation is about it.
    fn free(&self, node: NodeId) -> Result<&NodeRecord, OperationFault> {
        let known = self.known(node)?;
        match self.running_on(node) {
            Some(other) => Err(OperationFault::Conflict(other.id)),
            None => Ok(known),
        }
    }

    /// The shard, if no operation is about it.
    fn free_shard(&self, shard: ShardId) -> Result<&ShardDescriptor, OperationFault> {
        let known = self.shard(shard)?;
        match self.running_in(shard) {
            Some(other) => Err(OperationFault::Conflict(other.id)),
            None => Ok(known),
        }
    }

    fn admit_move(&self, shard: ShardId, from: NodeId, to: NodeId) -> Result<(), OperationFault> {
        let drained = self.known(from).and(self.known(to))?.drained;
        let members = &self.free_shard(shard)?.members;
        let votes = |node| members.voters.iter().any(|voter| voter.node() == node);
        match (votes(from), votes(to)) {
            (true, true) => Err(OperationFault::AlreadyThere { shard, node: to }),
            // The vote went over before: what is left there has to go, wherever the new one is.
            (false, true) if members.on(from).is_some() => Ok(()),
            (false, _) => Err(OperationFault::NotAVoter { shard, node: from }),
            (true, false) if drained => Err(OperationFault::Drained(to)),
            (true, false) => Ok(()),
        }
    }

    fn admit_transfer(&self, shard: ShardId, to: NodeId) -> Result<(), OperationFault> {
        self.known(to)?;
        let voters = &self.free_shard(shard)?.members.voters;
        match voters.iter().any(|voter| voter.node() == to) {
            true => Ok(()),
            false => Err(OperationFault::NotAVoter { shard, node: to }),
        }
    }

    fn admit_addition(&self, shard: ShardId, to: NodeId) -> Result<(), OperationFault> {
        let (drained, members) = (self.known(to)?.drained, &self.free_shard(shard)?.members);
        match members.voters.iter().any(|voter| voter.node() == to) {
            true => Err(OperationFault::AlreadyThere { shard, node: to }),
            false if drained => Err(OperationFault::Drained(to)),
            false => Ok(()),
        }
    }

    /// Nothing but another recovery keeps it out: what else works on the shard waits for a majority, for ever.
    fn admit_recovery(&self, shard: ShardId, keep: NodeId) -> Result<(), OperationFault> {
        let node = self.known(keep)?;
        let members = &self.shard(shard)?.members;
        if shard == ShardId::METADATA {
            return Err(invalid(
                "the metadata cannot recover itself: while it has a leader it needs no recovery, and without one nobody is asked",
            ));
        }
        if let Some(other) = self.running_in(shard)
            && matches!(other.what, Operation::UnsafeRecover { .. })
        {
            return Err(OperationFault::Conflict(other.id));
        }
        if !members
            .all()
            .iter()
            .any(|replica| members.votes(*replica) && replica.node() == keep)
        {
            return Err(OperationFault::NotAVoter { shard, node: keep });
        }
        if node.away_since.is_some() {
            return Err(OperationFault::Away(keep));
        }
        let there = |voter: &&ReplicaId| {
            let known = self.nodes.get(&voter.node());
            known.is_some_and(|node| node.away_since.is_none())
        };
        let there = |voters: &[ReplicaId]| (voters.iter().filter(there).count(), voters.len());
        let most = |(there, voters): (usize, usize)| there > voters / 2;
        let (now, before) = (there(&members.voters), there(&members.outgoing));
        match most(now) && (!members.is_joint() || most(before)) {
            true => Err(OperationFault::MajorityThere {
                shard,
                there: now.0 as u64,
                voters: now.1 as u64,
            }),
            false => Ok(()),
        }
    }

    /// Whether what is on a node is known, and fits on the others.
    fn room(&self, node: NodeId) -> Result<(), OperationFault> {
        if !self.knows_all_shards() {
            return Err(OperationFault::NotYetKnown);
        }
        let eligible = |other: &&NodeRecord| !other.drained && other.place.node != node;
        let left = self.nodes.values().filter(eligible).count() as u64;
        for descriptor in self.shards.values() {
            let needed = descriptor.members.voters.len() as u64;
            if descriptor.members.on(node).is_some() && left < needed {
                let shard = descriptor.shard;
                return Err(OperationFault::NoRoom { shard, left, needed });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "admission_test.rs"]
mod tests;
