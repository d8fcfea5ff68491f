//! What operators ask for: checks, leaders, pauses.

use std::time::Duration;

use covey_api::v1;
use covey_shared::ids::{NodeId, ShardId};

use super::convert::{RequestFault, builds, checked, pause};
use super::errors::ApiError;
use super::service::Api;
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

    /// Has another node lead a shard.
    pub(crate) async fn transfer_leader(
        &self,
        request: v1::TransferLeaderRequest,
        context: RequestContext,
    ) -> Result<v1::TransferLeaderReply, ApiError> {
        let cluster = &self.deps.cluster;
        let (shard, to) = (ShardId(request.shard), NodeId(request.to_node));
        if !cluster.has_shard(shard) {
            return Err(RequestFault::UnknownShard { shard: shard.0 }.into());
        }
        if !cluster.has_node(to) {
            return Err(RequestFault::UnknownNode { node: to.0 }.into());
        }
        let (began, deadline) = (self.now(), self.deadline(&context, request.deadline_ms));
        let outcome = cluster.transfer_leader(shard, to, deadline).await;
        let took_ms = self.now().since(began).as_secs_f64() * 1000.0;
        // An operator's command: it stays in the log, whatever came of it.
        match &outcome {
            Ok(done) => tracing::info!(
                shard = shard.0,
                from = done.from.0,
                to = to.0,
                took_ms,
                "leader transferred"
            ),
            Err(error) => tracing::warn!(shard = shard.0, to = to.0, took_ms, %error, "leader not transferred"),
        }
        let done = outcome.map_err(|source| ApiError::Transfer {
            shard: shard.0,
            to: to.0,
            source,
        })?;
        Ok(v1::TransferLeaderReply {
            shard: shard.0,
            from_node: done.from.0,
            to_node: to.0,
            term: done.term.0,
            took_ms,
            trace_id: context.trace_id,
        })
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
