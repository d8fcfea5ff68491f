//! The metadata of the cluster, as its leader answers for it.

use std::sync::Arc;
use std::time::Duration;

use covey_env::Monotonic;
use covey_metadata::{Metadata, Sights, repair_in_ms};
use covey_shared::ids::{ShardEpoch, ShardId, UnixMillis};
use covey_shared::members::ShardDescriptor;
use covey_shared::metadata::{
    ClusterView, MetadataChange, NodeRecord, NodeReports, NodeView, Operation, OperationFault, OperationView, ShardView,
};
use covey_shared::wire::{NotReady, RequestBody, ShardError};

use super::calls::NodeHandle;
use crate::operations::Glimpse;
use crate::raft::asks::Reports;

/// Lines of the audit log in one answer.
const MAX_AUDIT: u32 = 1000;

impl NodeHandle {
    /// The metadata as of all that was ever acknowledged, if this node leads it.
    ///
    /// # Errors
    /// It does not, or has not yet applied what came before it did.
    pub(crate) fn metadata(&self) -> Result<Arc<Metadata>, ShardError> {
        let shard = ShardId::METADATA;
        let replica = self.replicas.get(shard).ok_or(ShardError::NotHere(shard))?;
        let status = self.board.get(shard);
        if !self.board.leads(shard) {
            let hint = status
                .and_then(|status| status.leader)
                .filter(|node| *node != self.node);
            return Err(ShardError::NotLeader { hint });
        }
        // Its own first entry lies behind everything that other leaders have acknowledged, and nobody leads in its place while a
        // majority has heard of it within an election timeout.
        let view = replica.view();
        let own = status.is_some_and(|status| status.term == view.applied().term);
        match own && self.board.staleness(shard, self.env.clock.monotonic()) < self.election_timeout {
            true => Ok(view.metadata()),
            false => Err(ShardError::NotReady(NotReady::Starting)),
        }
    }

    /// The time by which the metadata is planned: clocks of leaders differ, and the log's time does not go back.
    pub(crate) fn log_time(&self) -> UnixMillis {
        let replica = self.replicas.get(ShardId::METADATA);
        let applied = replica.map_or(UnixMillis(0), |replica| replica.applied().log_time);
        applied.max(UnixMillis(self.env.clock.unix_ms()))
    }

    /// Whether a peer may have it written: what the leader sees and does itself is its own.
    pub(super) fn may_ask(change: &MetadataChange) -> bool {
        match change {
            MetadataChange::Start(start) => start.parent.is_none(),
            MetadataChange::Cancel { .. }
            | MetadataChange::Undrain { .. }
            | MetadataChange::Join { .. }
            | MetadataChange::Remove { .. }
            | MetadataChange::Set { .. } => true,
            MetadataChange::Register(_)
            | MetadataChange::Observe(_)
            | MetadataChange::Away { .. }
            | MetadataChange::End { .. } => false,
        }
    }

    /// What every replica here knows of its shard.
    pub(super) async fn reports(&self) -> NodeReports {
        let now = self.env.clock.monotonic();
        *self.asked.lock() = Some(now);
        NodeReports {
            directory: self.nodes.version(),
            settings: self.settings.version(),
            shards: self.raft.send(Reports).await.unwrap_or_default(),
            rebuilds: self.pulls.status(now),
        }
    }

    /// What a node with these reports has not heard yet.
    pub(crate) fn news_for(&self, reports: &NodeReports) -> Vec<RequestBody> {
        let nodes = self.nodes.now();
        let directory = (reports.directory < nodes.version).then(|| RequestBody::LearnDirectory((*nodes).clone()));
        let settings = reports.settings < self.settings.version();
        let settings = settings.then(|| RequestBody::LearnSettings(self.settings.now()));
        directory.into_iter().chain(settings).collect()
    }

    /// All that is known of the cluster.
    pub(super) async fn describe(&self, audit: u32, deadline: Monotonic) -> Result<Box<ClusterView>, ShardError> {
        // What was heard may have lain in a queue while this process was stopped, and another node leads by now: a majority says.
        self.read_index(ShardId::METADATA, ShardEpoch::default(), deadline)
            .await?;
        self.metadata()?;
        let replica = self.replicas.get(ShardId::METADATA);
        let view = replica.ok_or(ShardError::NotHere(ShardId::METADATA))?.view();
        // The state may be newer than its index says, never older.
        let (applied, state) = (view.applied_index(), view.metadata());
        let audit = view.audit(audit.min(MAX_AUDIT)).map_err(|error| {
            tracing::error!(%error, "the audit log cannot be read");
            ShardError::Store
        })?;
        let operations = state.operations.values().map(|record| OperationView {
            record: record.clone(),
            progress: self.sightings.progress(record.id),
        });
        let shard = |descriptor: &ShardDescriptor, sights: &Sights<'_>| ShardView {
            descriptor: descriptor.clone(),
            report: sights.reports.get(&descriptor.shard).cloned(),
        };
        let glimpse = self.glimpse(&state);
        let sights = &glimpse.sights(self.log_time());
        Ok(Box::new(ClusterView {
            applied,
            at: sights.now,
            nodes: state
                .nodes
                .values()
                .map(|node| self.node_view(&state, node, sights))
                .collect(),
            shards: state.shards.values().map(|d| shard(d, sights)).collect(),
            operations: operations.collect(),
            audit,
            settings: state.settings.clone(),
        }))
    }

    fn node_view(&self, state: &Metadata, record: &NodeRecord, sights: &Sights<'_>) -> NodeView {
        let (node, now) = (record.place.node, self.env.clock.monotonic());
        let leads = sights.reports.values().filter(|report| report.replica.node() == node);
        let members = state.shards.values();
        let replicas = members.filter(|descriptor| descriptor.members.on(node).is_some());
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        NodeView {
            record: record.clone(),
            heard_ms: self.sightings.heard(node, now).map(millis),
            replicas: replicas.count() as u64,
            leads: leads.count() as u64,
            repair_in_ms: repair_in_ms(state, node, sights, &self.operation_limits),
        }
    }

    /// What an operation would do.
    pub(super) fn rehearse(&self, what: Operation) -> Result<Result<Vec<Operation>, OperationFault>, ShardError> {
        let state = self.metadata()?;
        Ok(state.rehearse(what, &self.glimpse(&state).sights(self.log_time())))
    }

    /// What is seen of the cluster now.
    pub(crate) fn glimpse(&self, state: &Metadata) -> Glimpse {
        let now = self.env.clock.monotonic();
        self.sightings.glimpse(state.nodes.keys().copied(), &state.shards, now)
    }
}
