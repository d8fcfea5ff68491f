//! What the metadata says: `covey nodes`, `covey shards`, `covey operations`, `covey audit`.

use std::time::Duration;

use anyhow::Result;
use covey_api::v1::{DescribeClusterReply, DescribeClusterRequest};
use tonic::Status;

use super::{Context, Outcome};
use crate::args::{AuditArgs, OperationsArgs};
use crate::client::{Client, refused};
use crate::render::{audit, nodes, operations, shards};

/// Time for a look: a coordinator looks for the leader of the metadata meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time that the coordinator's answer needs to come back.
const WAY: Duration = Duration::from_secs(2);

pub(super) async fn nodes(context: &Context) -> Result<Outcome> {
    let whole = whole(context, 0).await?;
    let reply = DescribeClusterReply {
        shards: Vec::new(),
        operations: Vec::new(),
        ..whole
    };
    context.show(&reply, || nodes::human(&reply, context.style))?;
    Ok(Outcome::Done)
}

pub(super) async fn shards(context: &Context) -> Result<Outcome> {
    let whole = whole(context, 0).await?;
    let reply = DescribeClusterReply {
        nodes: Vec::new(),
        operations: Vec::new(),
        ..whole
    };
    context.show(&reply, || shards::human(&reply, context.style))?;
    Ok(Outcome::Done)
}

pub(super) async fn operations(context: &Context, args: &OperationsArgs) -> Result<Outcome> {
    let whole = whole(context, 0).await?;
    let mut reply = DescribeClusterReply {
        nodes: Vec::new(),
        shards: Vec::new(),
        ..whole
    };
    if !args.all {
        reply.operations = operations::running(reply.operations);
    }
    context.show(&reply, || operations::list(&reply, context.style))?;
    Ok(Outcome::Done)
}

pub(super) async fn audit(context: &Context, args: &AuditArgs) -> Result<Outcome> {
    let whole = whole(context, args.lines).await?;
    let reply = DescribeClusterReply {
        nodes: Vec::new(),
        shards: Vec::new(),
        operations: Vec::new(),
        ..whole
    };
    context.show(&reply, || audit::human(&reply, context.style))?;
    Ok(Outcome::Done)
}

async fn whole(context: &Context, audit: u32) -> Result<DescribeClusterReply> {
    let client = context.connect().await?;
    Ok(describe(&client, 0, audit).await.map_err(refused("describe"))?)
}

/// One look at the metadata, or at one operation (0 = at all).
pub(super) async fn describe(client: &Client, operation: u64, audit: u32) -> Result<DescribeClusterReply, Status> {
    let mut request = tonic::Request::new(DescribeClusterRequest {
        audit,
        operation,
        deadline_ms: PATIENCE.as_millis() as u32,
    });
    request.set_timeout(PATIENCE + WAY);
    Ok(client.rpc().describe_cluster(request).await?.into_inner())
}
