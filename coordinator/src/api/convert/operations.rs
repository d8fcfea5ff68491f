//! What operators ask for, and the same in words.

use covey_api::v1;
use covey_api::v1::operation::What;
use covey_api::v1::start_operation_request::What as Wanted;
use covey_shared::ids::{NodeId, OperationId, ShardId, UnixMillis};
use covey_shared::metadata::{MAX_BY, MAX_LIMIT_MS, MAX_MAINTENANCE_MS, MetadataChange, Operation, Start};

use super::RequestFault;

/// Who asks if nobody says so.
const ANYBODY: &str = "api";
/// Time of an operation that says nothing of it.
const LIMIT_MS: u64 = 3_600_000;

/// The operation to begin.
pub(crate) fn start(request: v1::StartOperationRequest, now: UnixMillis) -> Result<Start, RequestFault> {
    let what = wanted(request.what.ok_or(RequestFault::NoOperation)?, now)?;
    let limit_ms = match request.limit_ms {
        0 => LIMIT_MS,
        ms => bounded("limit_ms", ms, MAX_LIMIT_MS, "0 to 2592000000 (30 days)")?,
    };
    Ok(Start {
        what,
        by: by(request.by)?,
        parent: None,
        limit_ms,
    })
}

/// Takes an operation back.
pub(crate) fn cancel(request: v1::CancelOperationRequest) -> Result<MetadataChange, RequestFault> {
    Ok(MetadataChange::Cancel {
        operation: OperationId(request.operation),
        by: by(request.by)?,
    })
}

/// Takes a node back into service.
pub(crate) fn undrain(request: v1::UndrainNodeRequest) -> Result<MetadataChange, RequestFault> {
    Ok(MetadataChange::Undrain {
        node: NodeId(request.node),
        by: by(request.by)?,
    })
}

/// Takes a node out of the cluster.
pub(crate) fn remove(request: v1::RemoveNodeRequest) -> Result<MetadataChange, RequestFault> {
    Ok(MetadataChange::Remove {
        node: NodeId(request.node),
        by: by(request.by)?,
    })
}

fn wanted(what: Wanted, now: UnixMillis) -> Result<Operation, RequestFault> {
    Ok(match what {
        Wanted::Move(wanted) => Operation::Move {
            shard: ShardId(wanted.shard),
            from: NodeId(wanted.from_node),
            to: NodeId(wanted.to_node),
        },
        Wanted::TransferLeader(wanted) => Operation::TransferLeader {
            shard: ShardId(wanted.shard),
            to: NodeId(wanted.to_node),
        },
        Wanted::Drain(wanted) => Operation::Drain {
            node: NodeId(wanted.node),
        },
        Wanted::Maintenance(wanted) => {
            let for_ms = bounded("for_ms", wanted.for_ms, MAX_MAINTENANCE_MS, "1 to 604800000 (a week)")?;
            Operation::Maintenance {
                node: NodeId(wanted.node),
                until: UnixMillis(now.0.saturating_add(for_ms)),
            }
        }
        Wanted::Repair(wanted) => Operation::Repair {
            node: NodeId(wanted.node),
        },
        Wanted::UnsafeRecover(wanted) => Operation::UnsafeRecover {
            shard: ShardId(wanted.shard),
            keep: NodeId(wanted.keep_node),
        },
        Wanted::Add(wanted) => Operation::Add {
            node: NodeId(wanted.node),
        },
    })
}

fn bounded(field: &'static str, ms: u64, most: u64, range: &'static str) -> Result<u64, RequestFault> {
    match ms {
        ms if (1..=most).contains(&ms) => Ok(ms),
        ms => Err(RequestFault::OutOfRange {
            field,
            value: ms as f64,
            range,
        }),
    }
}

/// Who asks. It is shown on terminals: what moves the cursor is refused.
pub(super) fn by(name: String) -> Result<String, RequestFault> {
    let (field, found, limit) = ("by", name.len(), MAX_BY);
    if found > limit {
        return Err(RequestFault::TooLong { field, found, limit });
    }
    if name.chars().any(char::is_control) {
        return Err(RequestFault::Unprintable { field });
    }
    Ok(if name.is_empty() { ANYBODY.to_owned() } else { name })
}

/// An operation as a message.
pub(crate) fn operation(what: &Operation) -> v1::Operation {
    let message = match *what {
        Operation::Move { shard, from, to } => What::Move(v1::MoveReplica {
            shard: shard.0,
            from_node: from.0,
            to_node: to.0,
        }),
        Operation::TransferLeader { shard, to } => What::TransferLeader(v1::TransferLeader {
            shard: shard.0,
            to_node: to.0,
        }),
        Operation::Drain { node } => What::Drain(v1::DrainNode { node: node.0 }),
        Operation::Maintenance { node, until } => What::Maintenance(v1::MaintainNode {
            node: node.0,
            for_ms: 0,
            until_ms: until.0,
        }),
        Operation::Repair { node } => What::Repair(v1::RepairNode { node: node.0 }),
        Operation::Add { node } => What::Add(v1::AddNode { node: node.0 }),
        Operation::UnsafeRecover { shard, keep } => What::UnsafeRecover(v1::UnsafeRecover {
            shard: shard.0,
            keep_node: keep.0,
        }),
        Operation::AddReplica { shard, to } => What::AddReplica(v1::AddReplica {
            shard: shard.0,
            to_node: to.0,
        }),
    };
    v1::Operation {
        what: Some(message),
        title: title(what),
    }
}

/// An operation in words.
pub(super) fn title(what: &Operation) -> String {
    match what {
        Operation::Move { shard, from, to } => format!("move {} from node {from} to node {to}", named(*shard)),
        Operation::TransferLeader { shard, to } => format!("have node {to} lead {}", named(*shard)),
        Operation::Drain { node } => format!("drain node {node}"),
        Operation::Maintenance { node, .. } => format!("maintenance of node {node}"),
        Operation::Repair { node } => format!("repair node {node}"),
        Operation::Add { node } => format!("add replicas to node {node}"),
        Operation::UnsafeRecover { shard, keep } => format!("recover {} from node {keep} alone", named(*shard)),
        Operation::AddReplica { shard, to } => format!("add a replica of {} on node {to}", named(*shard)),
    }
}

/// A shard in words.
pub(super) fn named(shard: ShardId) -> String {
    match shard {
        ShardId::METADATA => "the metadata".to_owned(),
        shard => format!("shard {shard}"),
    }
}

#[cfg(test)]
#[path = "operations_test.rs"]
mod tests;
