//! What to do next about the cluster as a whole.

use std::collections::{BTreeMap, BTreeSet};

use covey_shared::ids::{NodeId, OperationId, ShardId, UnixMillis};
use covey_shared::metadata::{Ending, MetadataChange, Operation, OperationProgress, OperationRecord};
use covey_shared::wire::ShardReport;

use crate::emptying::Emptying;
use crate::filling::Filling;
use crate::pace::Forecast;
use crate::placement::Outlook;
use crate::state::Metadata;
use crate::{maintenance, regrowth, repair, strays};

/// Who asks for what nobody asked for.
pub(crate) const SCHEDULER: &str = "scheduler";
/// Who cancels what takes too long.
const DEADLINE: &str = "deadline";

/// What whoever decides sees of the cluster; none of it is kept.
#[derive(Clone, Copy, Debug)]
pub struct Sights<'a> {
    /// The clock of who decides, and never before the time of the last entry of the log: a clock that was put back would have what ended
    /// end in the future.
    pub now: UnixMillis,
    /// Nodes that answer.
    pub up: &'a BTreeSet<NodeId>,
    /// For how long who decides has heard nothing of each node that does not answer, in milliseconds, whatever the clocks say: it begins
    /// with the leadership at the earliest.
    pub silent: &'a BTreeMap<NodeId, u64>,
    /// Shards as their leaders say, of those that were heard of lately.
    pub reports: &'a BTreeMap<ShardId, ShardReport>,
    /// How long moves take.
    pub forecast: &'a Forecast,
}

/// How much may go on at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time after which the replicas of a node that is away are made anew elsewhere, in milliseconds; `None`: never.
    pub max_down_ms: Option<u64>,
    /// Moves that run at once, of those that other operations begin, and of replicas that were left behind. A move of a shard without a
    /// leader does not count: it can do nothing.
    pub moves: usize,
    /// How long such a move may take, in milliseconds.
    pub move_limit_ms: u64,
    /// Replicas with a vote that each shard should have, but for that of the metadata.
    pub replicas: usize,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Write this into the log.
    Propose(MetadataChange),
    /// Have another node lead a shard.
    Relieve {
        /// The shard.
        shard: ShardId,
        /// Node that should lead.
        to: NodeId,
    },
}

/// What to do, and how operations that others are a part of come along.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What to do now; what was done before and shows no effect yet is named again.
    pub actions: Vec<Action>,
    /// Of drains, repairs, additions and maintenance that run.
    pub progress: BTreeMap<OperationId, OperationProgress>,
}

impl Plan {
    pub(crate) fn propose(&mut self, change: MetadataChange) {
        self.actions.push(Action::Propose(change));
    }

    pub(crate) fn cancel(&mut self, operation: OperationId, by: &str) {
        let by = by.to_owned();
        self.propose(MetadataChange::Cancel { operation, by });
    }

    pub(crate) fn end(&mut self, operation: OperationId, ending: Ending) {
        self.propose(MetadataChange::End { operation, ending });
    }

    /// Whether an operation on a shard begins now.
    pub(crate) fn begins_in(&self, shard: ShardId) -> bool {
        self.actions.iter().any(|action| {
            matches!(action, Action::Propose(MetadataChange::Start(start)) if start.what.shard() == Some(shard))
        })
    }
}

/// What to do next.
pub fn schedule(state: &Metadata, sights: &Sights<'_>, limits: &Limits) -> Plan {
    let mut plan = Plan::default();
    let mut outlook = Outlook::new(state, sights);
    for record in state.running() {
        if late(record, sights.now) {
            plan.cancel(record.id, DEADLINE);
        }
        match record.what {
            // Their steps are taken by who drives them, one by one.
            Operation::Move { .. }
            | Operation::TransferLeader { .. }
            | Operation::UnsafeRecover { .. }
            | Operation::AddReplica { .. } => {}
            Operation::Drain { node } | Operation::Repair { node } => {
                Emptying::of(record, node, &outlook).go_on(&mut outlook, limits, &mut plan);
            }
            Operation::Add { node } => Filling::of(record, node, &outlook).go_on(&mut outlook, limits, &mut plan),
            Operation::Maintenance { node, until } => maintenance::go_on(record, (node, until), &outlook, &mut plan),
        }
    }
    regrowth::go_on(&mut outlook, limits, &mut plan);
    strays::begin(&outlook, limits, &mut plan);
    repair::begin(&outlook, limits, &mut plan);
    plan
}

/// Whether it has to be cancelled now. Maintenance has no deadline but its end.
pub(crate) fn late(record: &OperationRecord, now: UnixMillis) -> bool {
    let ends = matches!(record.what, Operation::Maintenance { .. });
    !ends && !record.cancelled && record.deadline <= now
}

#[cfg(test)]
#[path = "schedule_test.rs"]
mod tests;
