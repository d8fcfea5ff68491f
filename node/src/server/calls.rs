//! Dispatch of a call to its handler.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix::Addr;
use arc_swap::ArcSwap;
use covey_embeddings::Builds;
use covey_env::{Env, Monotonic};
use covey_shard::ShardView;
use covey_shared::ids::{ClusterId, NodeId, ShardId};
use covey_shared::layout::{Layout, ShardPlan};
use covey_shared::wire::{NodeReply, NodeRequest, ReplyBody, RequestBody, StartPhase, WIRE_VERSION};
use covey_store::kv::KvStore;

use crate::board::Board;
use crate::raft::actor::RaftActor;
use crate::scrub::Scrubs;
use crate::shard::ShardActor;
use crate::snapshot::{Pulls, Snapshots};
use crate::verify::Hashes;

/// One replica as the call handlers see it.
pub(crate) struct Replica {
    pub(crate) plan: ShardPlan,
    pub(crate) actor: Addr<ShardActor>,
    view: Arc<ArcSwap<ShardView>>,
}

impl Replica {
    pub(crate) fn new(plan: ShardPlan, actor: Addr<ShardActor>, view: Arc<ArcSwap<ShardView>>) -> Replica {
        Replica { plan, actor, view }
    }

    /// The place of what it holds.
    pub(crate) fn place(&self) -> Arc<ArcSwap<ShardView>> {
        self.view.clone()
    }

    /// What it holds now. A snapshot may put another one in its place.
    pub(crate) fn view(&self) -> Arc<ShardView> {
        self.view.load_full()
    }
}

/// What every call handler needs.
pub(crate) struct NodeHandle {
    pub(crate) env: Env,
    pub(crate) cluster: ClusterId,
    pub(crate) node: NodeId,
    pub(crate) layout: Arc<Layout>,
    pub(crate) replicas: BTreeMap<ShardId, Replica>,
    pub(crate) raft: Addr<RaftActor>,
    pub(crate) board: Arc<Board>,
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
            RequestBody::Write { shard, epoch, command } => {
                ReplyBody::Write(self.write(shard, epoch, command, deadline).await)
            }
            RequestBody::GetPosts(query) => ReplyBody::GetPosts(self.get_posts(query, deadline).await),
            RequestBody::Search(query) => ReplyBody::Search(self.search(query, deadline).await),
            RequestBody::Viewer(query) => ReplyBody::Viewer(Box::new(self.viewer(query, deadline).await)),
            RequestBody::InNetwork(query) => ReplyBody::InNetwork(self.in_network(query, deadline).await),
            RequestBody::Popular(query) => ReplyBody::Popular(self.popular(query, deadline).await),
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
        }
    }
}
