//! Maintenance of a node: others lead what it leads, until a time.

use covey_shared::ids::{NodeId, UnixMillis};
use covey_shared::metadata::{Ending, Operation, OperationProgress, OperationRecord};
use covey_shared::wire::{MemberProgress, ShardReport};

use crate::moving::MAX_BEHIND;
use crate::placement::Outlook;
use crate::schedule::{Action, Plan};

/// Leaders that are relieved at once: writes to such a shard wait for a moment.
const MAX_RELIEVED: usize = 4;

/// Relieves the node of what it leads, or ends it.
pub(crate) fn go_on(
    record: &OperationRecord,
    (node, until): (NodeId, UnixMillis),
    outlook: &Outlook<'_>,
    plan: &mut Plan,
) {
    let now = outlook.sights.now;
    let ending = match record.cancelled {
        true => Some(Ending::Cancelled),
        false => (until <= now).then_some(Ending::Done),
    };
    if let Some(ending) = ending {
        return plan.end(record.id, ending);
    }
    let mut progress = OperationProgress {
        eta_ms: Some(until.since(now)),
        ..OperationProgress::default()
    };
    let leads = outlook
        .sights
        .reports
        .iter()
        .filter(|(_, report)| report.replica.node() == node);
    let mut led = 0;
    for (shard, report) in leads {
        led += 1;
        match successor(report, outlook) {
            Some(to) if !transferred(outlook, report) && room(plan) => {
                plan.actions.push(Action::Relieve { shard: *shard, to });
            }
            None if progress.blocked_by.is_empty() => {
                progress.blocked_by = format!("no other replica of shard {shard} can lead it");
            }
            _ => {}
        }
    }
    let ends = in_words(until.since(now));
    progress.step = match led {
        0 => format!("node {node} leads nothing; ends in {ends}"),
        1 => format!("node {node} still leads 1 shard; ends in {ends}"),
        _ => format!("node {node} still leads {led} shards; ends in {ends}"),
    };
    plan.progress.insert(record.id, progress);
}

/// Somebody has already asked who is to lead.
fn transferred(outlook: &Outlook<'_>, report: &ShardReport) -> bool {
    let work = outlook.state.running_in(report.descriptor.shard);
    work.is_some_and(|work| matches!(work.what, Operation::TransferLeader { .. }))
}

fn room(plan: &Plan) -> bool {
    let relieved = plan
        .actions
        .iter()
        .filter(|action| matches!(action, Action::Relieve { .. }));
    relieved.count() < MAX_RELIEVED
}

/// Who should lead: rather one that is fit, and will stay, and lacks little.
fn successor(report: &ShardReport, outlook: &Outlook<'_>) -> Option<NodeId> {
    let lacks = |member: &MemberProgress| report.last.0.saturating_sub(member.matched.0);
    let able = |member: &&MemberProgress| {
        let node = member.replica.node();
        let other = member.replica != report.replica && report.descriptor.members.voters.contains(&member.replica);
        let there = member.heard && outlook.sights.up.contains(&node) && lacks(member) <= MAX_BEHIND;
        other && there && !outlook.in_maintenance(node)
    };
    let drained = |node: NodeId| outlook.state.nodes.get(&node).is_some_and(|known| known.drained);
    let best = report.members.iter().filter(able).min_by_key(|member| {
        let node = member.replica.node();
        (!member.fit, drained(node), lacks(member), node)
    });
    best.map(|member| member.replica.node())
}

fn in_words(ms: u64) -> String {
    let seconds = ms.div_ceil(1000);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3600)),
    }
}

#[cfg(test)]
#[path = "maintenance_test.rs"]
mod tests;
