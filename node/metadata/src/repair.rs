//! Repairs that begin by themselves: a node that is away for long is given up.

use covey_shared::ids::{NodeId, UnixMillis};
use covey_shared::metadata::{MetadataChange, Operation, OperationRecord, Start};

use crate::placement::Outlook;
use crate::schedule::{Limits, Plan, SCHEDULER, Sights};
use crate::state::Metadata;

/// How long a repair may take, in milliseconds: a day.
const LIMIT_MS: u64 = 24 * 3_600_000;

/// Time that who leads the metadata has to miss a node itself before it gives it up, in milliseconds: who leads since just now, or whose
/// clock has jumped, may know no better.
const MIN_SILENCE_MS: u64 = 60_000;

/// Begins the repairs that are due.
pub(crate) fn begin(outlook: &Outlook<'_>, limits: &Limits, plan: &mut Plan) {
    let (state, now) = (outlook.state, outlook.sights.now);
    for node in state.nodes.keys().filter(|node| !outlook.sights.up.contains(node)) {
        let start = Start {
            what: Operation::Repair { node: *node },
            by: SCHEDULER.to_owned(),
            parent: None,
            limit_ms: LIMIT_MS,
        };
        if due(outlook, *node, limits) && state.admit(now, &start).is_ok() {
            plan.propose(MetadataChange::Start(start));
        }
    }
}

/// Whether a node is to be given up now: never while it may be us who are cut off.
pub(crate) fn due(outlook: &Outlook<'_>, node: NodeId, limits: &Limits) -> bool {
    majority(outlook) && due_in(outlook, node, limits) == Some(0)
}

/// Time until the node is given up and its replicas are made anew elsewhere, in milliseconds; 0: as soon as there is room, and most
/// nodes answer. `None` while it answers, be it only a leader of a shard, an operation is about it, or it has no replicas.
pub fn repair_in_ms(state: &Metadata, node: NodeId, sights: &Sights<'_>, limits: &Limits) -> Option<u64> {
    due_in(&Outlook::new(state, sights), node, limits)
}

/// Time until a node is given up, in milliseconds. An operation about it that ended has the countdown begin anew, so that who cancels a
/// repair, or whose maintenance takes too long, has time to say more. One that only brings replicas makes room for a repair.
fn due_in(outlook: &Outlook<'_>, node: NodeId, limits: &Limits) -> Option<u64> {
    let (state, sights, max_down) = (outlook.state, outlook.sights, limits.max_down_ms?);
    let since = state.nodes.get(&node)?.away_since?;
    let about = |record: &&OperationRecord| {
        let fills = matches!(record.what, Operation::Add { .. });
        record.what.node() == Some(node) && !fills
    };
    if state.running().any(|record| about(&record)) || outlook.on(node).is_empty() || outlook.heard(node) {
        return None;
    }
    let ended = state.operations.values().filter(about);
    let ended = ended
        .filter_map(|record| record.ended.as_ref())
        .map(|(at, _)| *at)
        .max();
    let since = ended.map_or(since, |ended| ended.max(since));
    let due = UnixMillis(since.0.saturating_add(max_down));
    let silence = sights.silent.get(&node).copied().unwrap_or(0);
    let missing = max_down.min(MIN_SILENCE_MS).saturating_sub(silence);
    Some(due.since(sights.now).max(missing))
}

/// Most nodes answer.
fn majority(outlook: &Outlook<'_>) -> bool {
    let nodes = &outlook.state.nodes;
    let up = nodes.keys().filter(|node| outlook.sights.up.contains(node)).count();
    up > nodes.len() / 2
}

#[cfg(test)]
#[path = "repair_test.rs"]
mod tests;
