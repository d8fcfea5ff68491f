//! Replicas that came too late: an operation was taken back while the change that adds its learner was on its way. Only moves bring
//! learners, so one without a move goes.

use covey_shared::ids::{NodeId, ShardId};
use covey_shared::members::ShardDescriptor;
use covey_shared::metadata::{MetadataChange, Operation, OperationRecord, Start};

use crate::parts::PAUSE_MS;
use crate::placement::{Asked, Choice, Outlook};
use crate::schedule::{Limits, Plan, SCHEDULER};

/// Begins to remove learners that nobody waits for, a few at a time.
pub(crate) fn begin(outlook: &Outlook<'_>, limits: &Limits, plan: &mut Plan) {
    let state = outlook.state;
    let mut room = limits
        .moves
        .saturating_sub(state.running().filter(|record| removes(record)).count());
    for shard in outlook.sights.reports.keys() {
        if room == 0 {
            return;
        }
        if state.running_in(*shard).is_some() || plan.begins_in(*shard) || !rested(*shard, outlook) {
            continue;
        }
        let Some(what) = outlook
            .shard(*shard)
            .and_then(|descriptor| removal(descriptor, outlook))
        else {
            continue;
        };
        let start = Start {
            what,
            by: SCHEDULER.to_owned(),
            parent: None,
            limit_ms: limits.move_limit_ms,
        };
        if state.admit(outlook.sights.now, &start).is_ok() {
            plan.propose(MetadataChange::Start(start));
            room -= 1;
        }
    }
}

/// Whether it is such a removal.
fn removes(record: &OperationRecord) -> bool {
    let alone = record.parent.is_none() && record.by == SCHEDULER;
    alone && matches!(record.what, Operation::Move { .. })
}

/// No move of the shard has ended just now: what failed would fail again at once, and what went well shows soon.
fn rested(shard: ShardId, outlook: &Outlook<'_>) -> bool {
    let of_shard = |record: &&OperationRecord| record.what.shard() == Some(shard);
    let ended = outlook.state.operations.values().filter(of_shard);
    let mut ended = ended.filter_map(|record| record.ended.as_ref());
    ended.all(|(at, _)| outlook.sights.now.since(*at) >= PAUSE_MS)
}

/// A move of a replica without a vote to where there is one: it only removes the one without.
fn removal(descriptor: &ShardDescriptor, outlook: &Outlook<'_>) -> Option<Operation> {
    let (shard, members) = (descriptor.shard, &descriptor.members);
    if members.is_joint() {
        return None;
    }
    let mut learners = members.learners.iter().map(|learner| learner.node());
    let from = learners.find(|node| !awaited(*node, descriptor, outlook))?;
    match outlook.target(descriptor, from, Asked::Soon) {
        Choice::Node(to) => Some(Operation::Move { shard, from, to }),
        Choice::Busy | Choice::Nobody => None,
    }
}

/// Whether a drain or repair takes care of the learner: it empties that node, or goes on with the move that brought it.
fn awaited(learner: NodeId, descriptor: &ShardDescriptor, outlook: &Outlook<'_>) -> bool {
    let emptied = |record: &OperationRecord| match record.what {
        Operation::Drain { node } | Operation::Repair { node } if !record.cancelled => Some(node),
        _ => None,
    };
    let votes = |node| outlook.votes(descriptor.shard, node);
    let mut emptied = outlook.state.running().filter_map(emptied);
    emptied.any(|node| node == learner || votes(node) && outlook.interrupted(descriptor, node) == Some(learner))
}

#[cfg(test)]
#[path = "strays_test.rs"]
mod tests;
