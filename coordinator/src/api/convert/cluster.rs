//! The metadata of the cluster, as messages.

use covey_api::v1;
use covey_shared::ids::{NodeId, OperationId, ReplicaId};
use covey_shared::metadata::{
    AuditRecord, ClusterView, Ending, MetadataChange, NodeView, Operation, OperationFault, OperationView, ShardView,
};

use super::operations::{operation, title};
use super::{RequestFault, within};

/// Lines of the audit log in one reply.
const MAX_AUDIT: usize = 1000;

/// How many lines of the audit log are wanted.
pub(crate) fn audit_lines(request: &v1::DescribeClusterRequest) -> Result<u32, RequestFault> {
    within("audit", request.audit as usize, MAX_AUDIT)?;
    Ok(request.audit)
}

/// The reply to `DescribeCluster`; of one operation only, if one is named.
///
/// # Errors
/// It is not known.
pub(crate) fn described(
    view: &ClusterView,
    only: Option<OperationId>,
    trace_id: String,
) -> Result<v1::DescribeClusterReply, OperationFault> {
    let wanted =
        |one: &&OperationView| only.is_none_or(|only| one.record.id == only || one.record.parent == Some(only));
    let operations: Vec<_> = view.operations.iter().filter(wanted).map(operation_view).collect();
    if let Some(id) = only
        && !view.operations.iter().any(|one| one.record.id == id)
    {
        return Err(OperationFault::UnknownOperation(id));
    }
    let mut reply = v1::DescribeClusterReply {
        applied: view.applied.0,
        at_ms: view.at.0,
        operations,
        audit: view.audit.iter().map(audit_line).collect(),
        trace_id,
        ..v1::DescribeClusterReply::default()
    };
    if only.is_none() {
        reply.nodes = view.nodes.iter().map(|node| node_view(node, view)).collect();
        reply.shards = view.shards.iter().map(shard_view).collect();
    }
    Ok(reply)
}

fn node_view(node: &NodeView, view: &ClusterView) -> v1::NodeView {
    let record = &node.record;
    let away_ms = record.away_since.map_or(0, |since| view.at.since(since).max(1));
    v1::NodeView {
        node: record.place.node.0,
        listen: record.place.listen.clone(),
        zone: record.place.zone.clone(),
        state: state(node, view) as i32,
        heard_ms: node.heard_ms,
        away_ms,
        replicas: node.replicas,
        leads: node.leads,
        repair_in_ms: node.repair_in_ms,
    }
}

fn state(node: &NodeView, view: &ClusterView) -> v1::NodeState {
    let id = node.record.place.node;
    let runs = |wanted: fn(&Operation) -> bool| {
        let mut running = view.operations.iter().map(|one| &one.record).filter(|one| one.runs());
        running.any(|one| !one.cancelled && one.what.node() == Some(id) && wanted(&one.what))
    };
    if runs(|what| matches!(what, Operation::Maintenance { .. })) {
        return v1::NodeState::Maintenance;
    }
    match (node.record.drained, node.record.away_since) {
        (true, _) if runs(|what| matches!(what, Operation::Drain { .. })) => v1::NodeState::Draining,
        (true, _) => v1::NodeState::Drained,
        (false, Some(_)) => v1::NodeState::Away,
        (false, None) => v1::NodeState::Up,
    }
}

fn shard_view(shard: &ShardView) -> v1::ShardView {
    let descriptor = &shard.descriptor;
    let nodes = |replicas: &[ReplicaId]| -> Vec<u64> {
        let mut nodes: Vec<u64> = replicas.iter().map(|replica| replica.node().0).collect();
        nodes.sort_unstable();
        nodes
    };
    let report = shard.report.as_ref();
    let member = |last: u64, member: &covey_shared::wire::MemberProgress| v1::MemberView {
        node: member.replica.node().0,
        heard: member.heard,
        behind: last.saturating_sub(member.matched.0),
    };
    let members = report.map(|report| report.members.iter().map(|one| member(report.last.0, one)));
    let mut members: Vec<v1::MemberView> = members.into_iter().flatten().collect();
    members.sort_unstable_by_key(|member| member.node);
    v1::ShardView {
        shard: descriptor.shard.0,
        slot_start: descriptor.slots.start.into(),
        slot_end: descriptor.slots.end.into(),
        range_ver: descriptor.epoch.range_ver,
        conf_ver: descriptor.epoch.conf_ver,
        leader: report.map_or(NodeId(0), |report| report.replica.node()).0,
        voters: nodes(&descriptor.members.voters),
        outgoing: nodes(&descriptor.members.outgoing),
        learners: nodes(&descriptor.members.learners),
        members,
    }
}

fn operation_view(one: &OperationView) -> v1::OperationView {
    let (record, progress) = (&one.record, &one.progress);
    let (state, error) = match &record.ended {
        None => (v1::OperationState::Running, ""),
        Some((_, Ending::Done)) => (v1::OperationState::Done, ""),
        Some((_, Ending::Cancelled)) => (v1::OperationState::Cancelled, ""),
        Some((_, Ending::Failed(why))) => (v1::OperationState::Failed, why.as_str()),
    };
    v1::OperationView {
        id: record.id.0,
        what: Some(operation(&record.what)),
        by: record.by.clone(),
        parent: record.parent.map_or(0, |parent| parent.0),
        started_ms: record.started.0,
        deadline_ms: record.deadline.0,
        cancelled: record.cancelled,
        state: state as i32,
        error: error.to_owned(),
        ended_ms: record.ended.as_ref().map_or(0, |(at, _)| at.0),
        step: progress.step.clone(),
        blocked_by: progress.blocked_by.clone(),
        done: progress.done,
        total: progress.total,
        bytes: progress.bytes,
        rate: progress.rate,
        eta_ms: progress.eta_ms,
    }
}

fn audit_line(record: &AuditRecord) -> v1::AuditLine {
    let (operation, error) = match &record.outcome {
        Ok(operation) => (operation.map_or(0, |id| id.0), String::new()),
        Err(fault) => (0, fault.to_string()),
    };
    v1::AuditLine {
        number: record.number,
        at_ms: record.at.0,
        by: record.by.clone(),
        what: asked(&record.change),
        operation,
        error,
    }
}

fn asked(change: &MetadataChange) -> String {
    match change {
        MetadataChange::Start(start) => match start.parent {
            Some(parent) => format!("{}, for operation {parent}", title(&start.what)),
            None => title(&start.what),
        },
        MetadataChange::Cancel { operation, .. } => format!("cancel operation {operation}"),
        MetadataChange::Undrain { node, .. } => format!("undrain node {node}"),
        MetadataChange::Join { place, .. } => format!("node {} at {}", place.node, place.listen),
        MetadataChange::Remove { node, .. } => format!("remove node {node}"),
        MetadataChange::Set { changes, .. } => {
            let change = |(key, value): (&String, &Option<String>)| match value {
                Some(value) => format!("set {key}={value}"),
                None => format!("unset {key}"),
            };
            changes.iter().map(change).collect::<Vec<_>>().join(", ")
        }
        MetadataChange::Register(_) => "register nodes".to_owned(),
        MetadataChange::Observe(_) => "observe shards".to_owned(),
        MetadataChange::Away { node, since } => match since {
            Some(_) => format!("node {node} is away"),
            None => format!("node {node} is back"),
        },
        MetadataChange::End { operation, .. } => format!("end operation {operation}"),
    }
}

#[cfg(test)]
#[path = "cluster_test.rs"]
mod tests;
