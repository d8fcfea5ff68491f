//! Commands that begin operations, take them back, and take nodes back into service.

use std::time::Duration;

use anyhow::Result;
use covey_api::v1::start_operation_request::What;
use covey_api::v1::{
    CancelOperationRequest, DrainNode, MaintainNode, MoveReplica, RemoveNodeRequest, RepairNode, StartOperationRequest,
    TransferLeader, UndrainNodeRequest,
};

use super::{Context, Outcome, watch};
use crate::args::{MoveArgs, NodeCommand, StartFlags, TransferLeaderArgs, WatchFlags};
use crate::client::denied;
use crate::render::operations;

/// Time for the cluster to take an operation up: longer than an election.
const PATIENCE: Duration = Duration::from_secs(10);
/// Time that the coordinator's answer needs to come back.
const WAY: Duration = Duration::from_secs(5);

pub(super) async fn node(context: &Context, command: NodeCommand) -> Result<Outcome> {
    match command {
        NodeCommand::Drain { node, start } => begin(context, What::Drain(DrainNode { node }), &start).await,
        NodeCommand::Repair { node, start } => begin(context, What::Repair(RepairNode { node }), &start).await,
        NodeCommand::Maintenance { node, time, watch } => {
            let what = What::Maintenance(MaintainNode {
                node,
                for_ms: ms(time),
                until_ms: 0,
            });
            run(context, what, Duration::ZERO, &watch).await
        }
        NodeCommand::Undrain { node } => undrain(context, node).await,
        NodeCommand::Remove { node } => remove(context, node).await,
    }
}

pub(super) async fn move_replica(context: &Context, args: MoveArgs) -> Result<Outcome> {
    let what = What::Move(MoveReplica {
        shard: args.shard,
        from_node: args.from,
        to_node: args.to,
    });
    begin(context, what, &args.start).await
}

pub(super) async fn transfer_leader(context: &Context, args: TransferLeaderArgs) -> Result<Outcome> {
    let what = What::TransferLeader(TransferLeader {
        shard: args.shard,
        to_node: args.to,
    });
    begin(context, what, &args.start).await
}

async fn begin(context: &Context, what: What, flags: &StartFlags) -> Result<Outcome> {
    run(context, what, flags.limit, &flags.watch).await
}

async fn run(context: &Context, what: What, limit: Duration, flags: &WatchFlags) -> Result<Outcome> {
    let client = context.connect().await?;
    let request = in_time(StartOperationRequest {
        what: Some(what),
        by: context.by.clone(),
        limit_ms: ms(limit),
        dry_run: flags.dry_run,
        deadline_ms: PATIENCE.as_millis() as u32,
    });
    let reply = client
        .rpc()
        .start_operation(request)
        .await
        .map_err(denied("operation"))?
        .into_inner();
    if flags.dry_run {
        context.show(&reply, || operations::rehearsed(&reply))?;
        return Ok(Outcome::Done);
    }
    context.show(&reply, || operations::begun(&reply))?;
    match flags.watch {
        true => watch::follow(context, &client, watch::Wanted::Begun(reply.operation), flags.timeout).await,
        false => Ok(Outcome::Done),
    }
}

pub(super) async fn cancel(context: &Context, operation: u64) -> Result<Outcome> {
    let client = context.connect().await?;
    let request = in_time(CancelOperationRequest {
        operation,
        by: context.by.clone(),
        deadline_ms: PATIENCE.as_millis() as u32,
    });
    let reply = client
        .rpc()
        .cancel_operation(request)
        .await
        .map_err(denied("cancel"))?
        .into_inner();
    context.show(&reply, || operations::cancelled(operation))?;
    Ok(Outcome::Done)
}

async fn undrain(context: &Context, node: u64) -> Result<Outcome> {
    let client = context.connect().await?;
    let request = in_time(UndrainNodeRequest {
        node,
        by: context.by.clone(),
        deadline_ms: PATIENCE.as_millis() as u32,
    });
    let reply = client
        .rpc()
        .undrain_node(request)
        .await
        .map_err(denied("undrain"))?
        .into_inner();
    context.show(&reply, || format!("node {node} may have replicas again\n"))?;
    Ok(Outcome::Done)
}

async fn remove(context: &Context, node: u64) -> Result<Outcome> {
    let client = context.connect().await?;
    let request = in_time(RemoveNodeRequest {
        node,
        by: context.by.clone(),
        deadline_ms: PATIENCE.as_millis() as u32,
    });
    let reply = client
        .rpc()
        .remove_node(request)
        .await
        .map_err(denied("remove"))?
        .into_inner();
    let gone = || format!("node {node} does not belong to the cluster any more, and its process ends by itself\n");
    context.show(&reply, gone)?;
    Ok(Outcome::Done)
}

fn in_time<T>(message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.set_timeout(PATIENCE + WAY);
    request
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
