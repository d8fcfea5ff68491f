//! Shards with fewer replicas than they should have, since they went on with one alone, get more, one after another.

use covey_shared::ids::ShardId;
use covey_shared::members::ShardDescriptor;
use covey_shared::metadata::{Ending, MetadataChange, Operation, OperationRecord, Start};

use crate::moving::{Move, NOBODY};
use crate::parts::{PAUSE_MS, in_vain};
use crate::placement::{Asked, Choice, Outlook};
use crate::schedule::{Limits, Plan, SCHEDULER};

/// Begins additions, a few at a time, and takes back those that wait for a node that is gone.
pub(crate) fn go_on(outlook: &mut Outlook<'_>, limits: &Limits, plan: &mut Plan) {
    let state = outlook.state;
    let adds = |record: &&OperationRecord| matches!(record.what, Operation::AddReplica { .. });
    let running: Vec<&OperationRecord> = state.running().filter(adds).collect();
    for record in &running {
        if record.by == SCHEDULER && !record.cancelled && in_vain(record, outlook) {
            plan.cancel(record.id, SCHEDULER);
        }
    }
    let mut room = limits.moves.saturating_sub(running.len());
    for shard in outlook
        .sights
        .reports
        .keys()
        .filter(|shard| **shard != ShardId::METADATA)
    {
        if room == 0 {
            return;
        }
        if state.running_in(*shard).is_some() || plan.begins_in(*shard) || failed_lately(*shard, outlook) {
            continue;
        }
        let Some(what) = outlook.shard(*shard).and_then(|known| addition(known, outlook, limits)) else {
            continue;
        };
        let Move { shard, to, .. } = what;
        let start = Start {
            what: Operation::AddReplica { shard, to },
            by: SCHEDULER.to_owned(),
            parent: None,
            limit_ms: limits.move_limit_ms,
        };
        if state.admit(outlook.sights.now, &start).is_ok() {
            outlook.expect(&what);
            plan.propose(MetadataChange::Start(start));
            room -= 1;
        }
    }
}

/// What failed just now would fail again at once. What went well shows in the members: with one replica there is no time to lose.
fn failed_lately(shard: ShardId, outlook: &Outlook<'_>) -> bool {
    let of_shard = |record: &&OperationRecord| record.what.shard() == Some(shard);
    let ended = outlook.state.operations.values().filter(of_shard);
    let mut ended = ended.filter_map(|record| record.ended.as_ref());
    ended.any(|(at, ending)| *ending != Ending::Done && outlook.sights.now.since(*at) < PAUSE_MS)
}

/// One more replica, on the node of one that has no vote yet, if there is one.
fn addition(known: &ShardDescriptor, outlook: &Outlook<'_>, limits: &Limits) -> Option<Move> {
    let (shard, members) = (known.shard, &known.members);
    if members.is_joint() || members.voters.len() >= limits.replicas {
        return None;
    }
    let mut learners = members.learners.iter().map(|learner| learner.node());
    // One on a node that was removed meanwhile will never have a vote.
    let learner = learners.find(|node| outlook.state.nodes.contains_key(node));
    let choice = learner.map_or_else(|| outlook.place(known, NOBODY, Asked::Now), Choice::Node);
    match choice {
        Choice::Node(to) if !outlook.receives(to) => Some(Move {
            shard,
            from: NOBODY,
            to,
        }),
        _ => None,
    }
}

#[cfg(test)]
#[path = "regrowth_test.rs"]
mod tests;
