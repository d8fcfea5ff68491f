//! Commands that begin operations, take them back, and take nodes back into service.

use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use covey_api::v1::start_operation_request::What;
use covey_api::v1::{
    AddNode, CancelOperationRequest, DrainNode, MaintainNode, MoveReplica, RemoveNodeRequest, RepairNode,
    StartOperationRequest, TransferLeader, UndrainNodeRequest, UnsafeRecover,
};

use super::{Context, Outcome, watch};
use crate::args::{MoveArgs, NodeCommand, StartFlags, TransferLeaderArgs, UnsafeRecoverArgs, WatchFlags};
use crate::client::denied;
use crate::render::operations;

/// Time for the cluster to take an operation up: longer than an election.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest line that is read from a terminal, in bytes.
const LINE: u64 = 64;
/// Time that the coordinator's answer needs to come back.
const WAY: Duration = Duration::from_secs(5);

pub(super) async fn node(context: &Context, command: NodeCommand) -> Result<Outcome> {
    match command {
        NodeCommand::Drain { node, start } => begin(context, What::Drain(DrainNode { node }), &start).await,
        NodeCommand::Add { node, start } => begin(context, What::Add(AddNode { node }), &start).await,
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

pub(super) async fn unsafe_recover(context: &Context, args: UnsafeRecoverArgs) -> Result<Outcome> {
    let UnsafeRecoverArgs { shard, keep, .. } = args;
    if !args.yes_lose_writes && !args.start.watch.dry_run {
        confirm(shard, keep)?;
    }
    let what = What::UnsafeRecover(UnsafeRecover { shard, keep_node: keep });
    begin(context, what, &args.start).await
}

/// Has whoever sits there type the number of the shard.
fn confirm(shard: u64, keep: u64) -> Result<()> {
    let (stdin, mut typed) = (std::io::stdin(), String::new());
    if !stdin.is_terminal() {
        bail!("nobody is there to confirm it; --yes-lose-writes says that writes may be lost");
    }
    eprint!(
        "Shard {shard} will go on with what node {keep} has. Writes that only other nodes have are LOST, even if these come back;\n\
         their replicas are removed. Type the number of the shard to go on: "
    );
    stdin
        .lock()
        .take(LINE)
        .read_line(&mut typed)
        .context("cannot read from the terminal")?;
    match typed.trim() == shard.to_string() {
        true => Ok(()),
        false => bail!("that is not {shard}: nothing was begun"),
    }
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
    let (by, deadline_ms) = (context.by.clone(), PATIENCE.as_millis() as u32);
    let request = in_time(CancelOperationRequest {
        operation,
        by,
        deadline_ms,
    });
    let reply = client.rpc().cancel_operation(request).await;
    told(context, "cancel", reply, || operations::cancelled(operation))
}

async fn undrain(context: &Context, node: u64) -> Result<Outcome> {
    let client = context.connect().await?;
    let (by, deadline_ms) = (context.by.clone(), PATIENCE.as_millis() as u32);
    let reply = client
        .rpc()
        .undrain_node(in_time(UndrainNodeRequest { node, by, deadline_ms }))
        .await;
    told(context, "undrain", reply, || {
        format!("node {node} may have replicas again\n")
    })
}

async fn remove(context: &Context, node: u64) -> Result<Outcome> {
    let client = context.connect().await?;
    let (by, deadline_ms) = (context.by.clone(), PATIENCE.as_millis() as u32);
    let reply = client
        .rpc()
        .remove_node(in_time(RemoveNodeRequest { node, by, deadline_ms }))
        .await;
    let gone = || format!("node {node} does not belong to the cluster any more, and its process ends by itself\n");
    told(context, "remove", reply, gone)
}

/// Shows that something was done, or why it was not.
fn told<T: serde::Serialize>(
    context: &Context,
    what: &'static str,
    reply: Result<tonic::Response<T>, tonic::Status>,
    words: impl FnOnce() -> String,
) -> Result<Outcome> {
    context.show(&reply.map_err(denied(what))?.into_inner(), words)?;
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
