//! Dispatch of a call to its handler.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix::Addr;
use covey_embeddings::Builds;
use covey_env::{Env, Monotonic};
use covey_metadata::Limits;
use covey_shared::command::ShardCommand;
use covey_shared::ids::{ClusterId, NodeId, ShardEpoch, ShardId};
use covey_shared::layout::Layout;
use covey_shared::wire::{
    InvalidRequest, NodeReply, NodeRequest, ReplyBody, RequestBody, ShardError, StartPhase, WIRE_VERSION,
};
use covey_store::kv::KvStore;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::board::Board;
use crate::nodes::Nodes;
use crate::operations::Sightings;
use crate::raft::actor::RaftActor;
use crate::replicas::ReplicaSet;
use crate::scrub::Scrubs;
use crate::settings::KnownSettings;
use crate::snapshot::{Pulls, Snapshots};
use crate::verify::Hashes;

/// What every call handler needs.
pub(crate) struct NodeHandle {
    pub(crate) env: Env,
    pub(crate) cluster: ClusterId,
    pub(crate) node: NodeId,
    /// Which nodes there are.
    pub(crate) nodes: Arc<Nodes>,
    /// What operators have set.
    pub(crate) settings: KnownSettings,
    /// When whoever leads the metadata asked this node last.
    pub(crate) asked: Mutex<Option<Monotonic>>,
    /// The cluster does not want this node any more.
    pub(crate) removed: Notify,
    /// The cluster as it was founded: of shards that have no replica here.
    pub(crate) layout: Arc<Layout>,
    pub(crate) replicas: Arc<ReplicaSet>,
    pub(crate) raft: Addr<RaftActor>,
    pub(crate) board: Arc<Board>,
    /// Of the cluster, while this node leads its metadata.
    pub(crate) sightings: Arc<Sightings>,
    pub(crate) operation_limits: Limits,
    /// Nobody else leads a group before its members have heard nothing of its leader for so long.
    pub(crate) election_timeout: Duration,
    pub(crate) kv: Arc<dyn KvStore>,
    /// Snapshots of this node's replicas, for others.
    pub(crate) snapshots: Arc<Snapshots>,
    /// Replicas that are being built from snapshots of others.
    pub(crate) pulls: Arc<Pulls>,
    /// The last hash of each replica.
    pub(crate) hashes: Arc<Hashes>,
    /// The node stops: whatever runs for long looks at it.
    pub(crate) stop: Arc<AtomicBool>,
    /// What the scrubber is at.
    pub(crate) scrubs: Arc<Scrubs>,
    /// What holds back the builds of vector indexes.
    pub(crate) builds: Arc<Builds>,
    /// Name of the space of content vectors.
    pub(crate) content: String,
    pub(crate) started: Monotonic,
    /// Where the time of the start went.
    pub(crate) start: Vec<StartPhase>,
    /// Bytes that the replicas may take on the heap.
    pub(crate) memory_budget: u64,
    pub(crate) max_log_bytes: u64,
    pub(crate) max_entry_bytes: usize,
    pub(crate) max_batch_items: usize,
}

impl NodeHandle {
    /// The epoch of a shard, and the nodes that may lead it, as far as that is known here.
    pub(crate) fn whereabouts(&self, shard: ShardId) -> Option<(ShardEpoch, Vec<NodeId>)> {
        if let Some(replica) = self.replicas.get(shard) {
            let applied = replica.applied();
            let voters = applied.members.voters.iter();
            return Some((applied.epoch, voters.map(|voter| voter.node()).collect()));
        }
        let plan = self.layout.shard(shard)?;
        Some((plan.epoch, plan.voters.iter().map(|place| place.node).collect()))
    }

    /// Ends the workers that no closed channel ends, at once.
    pub(crate) fn close_workers(&self) {
        self.pulls.close();
        self.scrubs.close();
        self.stop.store(true, Ordering::Release);
    }

    /// Answers one call; the server has checked its header, its permits and its deadline.
    pub(crate) async fn call(self: Arc<Self>, request: NodeRequest, deadline: Monotonic) -> NodeReply {
        NodeReply {
            version: WIRE_VERSION,
            body: Ok(self.run(request.body, deadline).await),
        }
    }

    async fn run(&self, body: RequestBody, deadline: Monotonic) -> ReplyBody {
        match body {
            RequestBody::Write {
                command: ShardCommand::Metadata(change),
                ..
            } if !NodeHandle::may_ask(&change) => ReplyBody::Write(Err(ShardError::Invalid(InvalidRequest::NotYours))),
            RequestBody::Write { shard, epoch, command } => {
                ReplyBody::Write(self.write(shard, epoch, command, deadline).await)
            }
            RequestBody::GetPosts(query) => ReplyBody::GetPosts(self.get_posts(query, deadline).await),
            RequestBody::Search(query) => ReplyBody::Search(self.search(query, deadline).await),
            RequestBody::Viewer(query) => ReplyBody::Viewer(Box::new(self.viewer(query, deadline).await)),
            RequestBody::InNetwork(query) => ReplyBody::InNetwork(self.in_network(query, deadline).await),
            RequestBody::Lists(query) => ReplyBody::Lists(self.lists(query, deadline).await),
            RequestBody::Verdicts(query) => ReplyBody::Verdicts(self.verdicts(query, deadline).await),
            RequestBody::Authors(query) => ReplyBody::Authors(self.authors(query, deadline).await),
            RequestBody::Status => ReplyBody::Status(Box::new(self.status())),
            RequestBody::HashAt { shard, index } => ReplyBody::HashAt(self.hashes.at(shard, index)),
            RequestBody::LogicalHash { shards } => ReplyBody::LogicalHash(self.logical_hash(shards, deadline).await),
            RequestBody::Candidates(query) => ReplyBody::Candidates(self.candidates(query, deadline).await),
            RequestBody::Standing { shard } => ReplyBody::Standing(self.standing(shard)),
            RequestBody::OpenSnapshot { shard, at_least } => {
                ReplyBody::OpenSnapshot(self.open_snapshot(shard, at_least))
            }
            RequestBody::SnapshotChunk { snapshot, file, offset } => {
                ReplyBody::SnapshotChunk(self.snapshots.chunk(snapshot, file, offset).await)
            }
            RequestBody::Vectors { shard, posts } => ReplyBody::Vectors(self.vectors(shard, posts, deadline).await),
            RequestBody::PauseBuilds { pause_ms } => ReplyBody::PauseBuilds(self.pause_builds(pause_ms)),
            RequestBody::TransferLeader { shard, to } => {
                ReplyBody::TransferLeader(self.transfer_leader(shard, to, deadline).await)
            }
            RequestBody::Members { shard } => ReplyBody::Members(self.members(shard).await),
            RequestBody::ChangeMembers { shard, change } => {
                ReplyBody::ChangeMembers(self.change_members(shard, change, deadline).await)
            }
            RequestBody::Destroy { replica } => ReplyBody::Destroy(self.destroy(replica)),
            RequestBody::Reports => ReplyBody::Reports(Box::new(self.reports().await)),
            RequestBody::Describe { audit } => ReplyBody::Describe(self.describe(audit, deadline).await),
            RequestBody::Rehearse(what) => ReplyBody::Rehearse(self.rehearse(what)),
            RequestBody::Directory => ReplyBody::Directory((*self.nodes.now()).clone()),
            RequestBody::LearnDirectory(directory) => {
                self.nodes.learn(directory);
                ReplyBody::LearnDirectory(self.nodes.version())
            }
            RequestBody::ReadIndexes { shards } => ReplyBody::ReadIndexes(self.read_indexes(shards, deadline).await),
            RequestBody::Settings => ReplyBody::Settings(self.settings.now()),
            RequestBody::LearnSettings(settings) => {
                self.settings.learn(&settings);
                ReplyBody::LearnSettings(self.settings.version())
            }
            RequestBody::MatchTexts(query) => ReplyBody::MatchTexts(self.match_texts(query, deadline).await),
        }
    }
}
