//! What operators ask for: checks, operations, pauses.

use std::time::Duration;

use covey_api::v1;
use covey_env::Monotonic;
use covey_shared::ids::{NodeId, OperationId, ShardId};
use covey_shared::metadata::MetadataChange;

use super::convert::{
    RequestFault, audit_lines, builds, cancel, checked, described, operation, pause, remove, start, undrain,
};
use super::errors::ApiError;
use super::service::Api;
use crate::cluster::Changed;
use crate::request::RequestContext;

impl Api {
    /// Whether the replicas of shards hold the same.
    pub(crate) async fn check_shards(
        &self,
        request: v1::CheckShardsRequest,
        context: RequestContext,
    ) -> Result<v1::CheckShardsReply, ApiError> {
        let cluster = &self.deps.cluster;
        let shards: Vec<ShardId> = request.shards.into_iter().map(ShardId).collect();
        if let Some(unknown) = shards.iter().find(|shard| !cluster.has_shard(**shard)) {
            return Err(RequestFault::UnknownShard { shard: unknown.0 }.into());
        }
        let deadline = self.deadline(&context, request.deadline_ms);
        let checks = cluster.check(&shards, deadline).await;
        Ok(checked(&checks, context.trace_id))
    }

    /// Begins an operation, or says what it would begin.
    pub(crate) async fn start_operation(
        &self,
        request: v1::StartOperationRequest,
        context: RequestContext,
    ) -> Result<v1::StartOperationReply, ApiError> {
        let cluster = &self.deps.cluster;
        let (dry_run, deadline) = (request.dry_run, self.deadline(&context, request.deadline_ms));
        let wanted = start(request, self.unix_now())?;
        let what = wanted.what;
        let (id, planned) = match dry_run {
            true => (0, cluster.rehearse(what, deadline).await??),
            false => {
                let begun = self.change(&MetadataChange::Start(wanted), deadline).await?;
                (begun.operation.0, vec![what])
            }
        };
        Ok(v1::StartOperationReply {
            operation: id,
            planned: planned.iter().map(operation).collect(),
            trace_id: context.trace_id,
        })
    }

    /// Takes an operation back.
    pub(crate) async fn cancel_operation(
        &self,
        request: v1::CancelOperationRequest,
        context: RequestContext,
    ) -> Result<v1::CancelOperationReply, ApiError> {
        let deadline = self.deadline(&context, request.deadline_ms);
        self.change(&cancel(request)?, deadline).await?;
        let trace_id = context.trace_id;
        Ok(v1::CancelOperationReply { trace_id })
    }

    /// Takes a node back into service.
    pub(crate) async fn undrain_node(
        &self,
        request: v1::UndrainNodeRequest,
        context: RequestContext,
    ) -> Result<v1::UndrainNodeReply, ApiError> {
        let deadline = self.deadline(&context, request.deadline_ms);
        self.change(&undrain(request)?, deadline).await?;
        let trace_id = context.trace_id;
        Ok(v1::UndrainNodeReply { trace_id })
    }

    /// Takes a node out of the cluster for good.
    pub(crate) async fn remove_node(
        &self,
        request: v1::RemoveNodeRequest,
        context: RequestContext,
    ) -> Result<v1::RemoveNodeReply, ApiError> {
        let deadline = self.deadline(&context, request.deadline_ms);
        self.change(&remove(request)?, deadline).await?;
        let trace_id = context.trace_id;
        Ok(v1::RemoveNodeReply { trace_id })
    }

    /// The metadata of the cluster.
    pub(crate) async fn describe_cluster(
        &self,
        request: v1::DescribeClusterRequest,
        context: RequestContext,
    ) -> Result<v1::DescribeClusterReply, ApiError> {
        let deadline = self.deadline(&context, request.deadline_ms);
        let view = self.deps.cluster.describe(audit_lines(&request)?, deadline).await?;
        let only = (request.operation != 0).then_some(OperationId(request.operation));
        Ok(described(&view, only, context.trace_id)?)
    }

    /// An operator's change of the metadata.
    pub(super) async fn change(&self, change: &MetadataChange, deadline: Monotonic) -> Result<Changed, ApiError> {
        let outcome = self.deps.cluster.change(change, deadline).await;
        // An operator's command: it stays in the log, whatever came of it.
        match &outcome {
            Ok(Ok(changed)) => tracing::info!(operation = changed.operation.0, ?change, "an operator's command"),
            Ok(Err(fault)) => tracing::warn!(?change, %fault, "an operator's command is refused"),
            Err(error) => tracing::warn!(?change, %error, "an operator's command is not carried out"),
        }
        Ok(outcome??)
    }

    /// Pauses the builds of vector indexes.
    pub(crate) async fn pause_builds(
        &self,
        request: v1::PauseBuildsRequest,
        context: RequestContext,
    ) -> Result<v1::BuildsReply, ApiError> {
        let pause = pause(&request)?;
        self.hold_builds(request.nodes, pause, context).await
    }

    /// Ends a pause of the builds.
    pub(crate) async fn resume_builds(
        &self,
        request: v1::ResumeBuildsRequest,
        context: RequestContext,
    ) -> Result<v1::BuildsReply, ApiError> {
        self.hold_builds(request.nodes, Duration::ZERO, context).await
    }

    async fn hold_builds(
        &self,
        nodes: Vec<u64>,
        pause: Duration,
        context: RequestContext,
    ) -> Result<v1::BuildsReply, ApiError> {
        let cluster = &self.deps.cluster;
        let nodes: Vec<NodeId> = nodes.into_iter().map(NodeId).collect();
        if let Some(unknown) = nodes.iter().find(|node| !cluster.has_node(**node)) {
            return Err(RequestFault::UnknownNode { node: unknown.0 }.into());
        }
        let answers = cluster.pause_builds(&nodes, pause, context.deadline).await;
        Ok(builds(&answers, context.trace_id))
    }
}
