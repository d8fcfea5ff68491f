//! Opens the replicas of a node: the store of each, and what its Raft group starts from.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use actix::Addr;
use covey_ann::Backend;
use covey_config::Config;
use covey_embeddings::MaintenanceWorker;
use covey_env::Env;
use covey_shard::{ShardStore, ShardView};
use covey_shared::ids::{LogIndex, NodeId, ReplicaId, ShardId};
use covey_shared::layout::{Layout, ShardPlan};
use covey_store::kv::KvStore;
use covey_store::log::{GroupId, LogBatch, LogPosition, LogStore, Recovered, RecoveredGroup};
use tokio::sync::{Semaphore, watch};

use super::{Observer, StartError, settings};
use crate::apply::{Applier, ApplyWorker, LaneInput};
use crate::board::Board;
use crate::completions::Completions;
use crate::raft::GroupStart;
use crate::server::Replica;
use crate::shard::{ReplicaDeps, ShardActor};

/// One opened replica, before its parts go to their threads.
struct Opened {
    plan: ShardPlan,
    replica: ReplicaId,
    applier: Option<Applier>,
    view: Arc<ShardView>,
    applied: watch::Receiver<LogIndex>,
    start: Option<GroupStart>,
}

/// The replicas of this node, by shard.
pub(crate) struct Replicas {
    opened: BTreeMap<ShardId, Opened>,
    log: Option<Box<dyn LogStore>>,
}

/// Where and from what replicas are opened.
pub(crate) struct Opening<'a> {
    pub(crate) env: &'a Env,
    pub(crate) config: &'a Config,
    pub(crate) node: NodeId,
    pub(crate) dir: &'a Path,
    pub(crate) kv: Arc<dyn KvStore>,
    pub(crate) backend: Backend,
    pub(crate) maintenance: &'a MaintenanceWorker,
}

impl Replicas {
    /// Opens every replica that the layout places on this node; new ones get a group in the log.
    pub(crate) fn open(
        opening: &Opening<'_>,
        layout: &Layout,
        mut log: Box<dyn LogStore>,
        mut recovered: Recovered,
    ) -> Result<Replicas, StartError> {
        if let Some(torn) = &recovered.torn {
            let (path, offset, bytes) = (torn.path.display(), torn.offset, torn.bytes);
            tracing::warn!(%path, offset, bytes, "the log ended in an unfinished write, never acknowledged: cut off");
        }
        let here = |plan: &ShardPlan| plan.on(opening.node).map(|place| (plan.clone(), place.replica));
        let plans: Vec<(ShardPlan, ReplicaId)> = layout.shards.iter().filter_map(here).collect();
        let mut opened = BTreeMap::new();
        let mut created = LogBatch::new();
        for (done, (plan, replica)) in plans.iter().enumerate() {
            let group = recovered.groups.remove(&GroupId(replica.0));
            if group.is_none() {
                created.create_group(GroupId(replica.0), LogPosition::default());
            }
            let one = open_one(opening, plan.clone(), *replica, group.unwrap_or_default())?;
            tracing::info!(shard = plan.shard.0, done = done + 1, of = plans.len(), "replica open");
            opened.insert(plan.shard, one);
        }
        if !recovered.groups.is_empty() {
            return Err(StartError::UnknownReplicas(
                recovered.groups.keys().map(|group| group.0).collect(),
            ));
        }
        if !created.is_empty() {
            log.append(&created)?;
            log.sync()?;
        }
        Ok(Replicas { opened, log: Some(log) })
    }

    pub(crate) fn shards(&self) -> Vec<ShardId> {
        self.opened.keys().copied().collect()
    }

    pub(crate) fn ids(&self) -> BTreeMap<ShardId, ReplicaId> {
        self.opened.iter().map(|(shard, o)| (*shard, o.replica)).collect()
    }

    pub(crate) fn take_log(&mut self) -> Box<dyn LogStore> {
        self.log.take().expect("the log goes to one writer")
    }

    pub(crate) fn take_groups(&mut self) -> Vec<(ShardPlan, GroupStart)> {
        let group = |o: &mut Opened| o.start.take().map(|start| (o.plan.clone(), start));
        self.opened.values_mut().filter_map(group).collect()
    }

    /// The worker of one lane; the stores of its shards move into it.
    pub(crate) fn apply_worker(
        &mut self,
        lane: LaneInput,
        done: Completions,
        observer: Option<Arc<dyn Observer>>,
    ) -> ApplyWorker {
        let take = |shard: &ShardId| {
            self.opened
                .get_mut(shard)
                .and_then(|o| o.applier.take())
                .map(|a| (*shard, a))
        };
        let shards = lane.shards.iter().filter_map(take).collect();
        ApplyWorker {
            shards,
            lane,
            done,
            observer,
        }
    }

    /// Starts the actors that answer reads.
    pub(crate) fn serve(
        self,
        env: &Env,
        board: &Arc<Board>,
        permits: usize,
        mailbox: usize,
        start: impl Fn(ShardActor) -> Addr<ShardActor>,
    ) -> BTreeMap<ShardId, Replica> {
        let permits = Arc::new(Semaphore::new(permits));
        let replica = |o: Opened| {
            let deps = ReplicaDeps {
                env: env.clone(),
                plan: o.plan.clone(),
                view: o.view.clone(),
                applied: o.applied,
                board: board.clone(),
                permits: permits.clone(),
                mailbox,
            };
            Replica {
                plan: o.plan,
                actor: start(ShardActor::new(deps)),
                view: o.view,
            }
        };
        self.opened.into_iter().map(|(shard, o)| (shard, replica(o))).collect()
    }
}

fn open_one(
    opening: &Opening<'_>,
    plan: ShardPlan,
    replica: ReplicaId,
    log: RecoveredGroup,
) -> Result<Opened, StartError> {
    let shard = plan.shard;
    let dir = opening.dir.join(format!("shard-{:04}", shard.0));
    let options = settings::shard(opening.config, &plan, opening.backend)?;
    let (store, _) = ShardStore::open(opening.env, opening.kv.clone(), &dir, options)
        .map_err(|source| StartError::Shard { shard, source })?;
    opening
        .maintenance
        .maintain(store.maintainer())
        .map_err(|_| StartError::Maintenance)?;
    let applied = store.applied().index;
    let (first, last) = (
        log.compacted.index + 1,
        log.entries.last().map_or(log.compacted.index, |e| e.index),
    );
    if !(first - 1..=last).contains(&applied.0) {
        return Err(StartError::LogAndStore {
            shard,
            applied: applied.0,
            first,
            last,
        });
    }
    let planned: Vec<u64> = plan.voters.iter().map(|place| place.replica.0).collect();
    let made = store.applied();
    if (&made.voters, made.slots, made.epoch) != (&planned, plan.slots, plan.epoch) {
        return Err(StartError::LayoutChanged { shard });
    }
    let start = GroupStart {
        log,
        applied: applied.0,
        voters: store.applied().voters.clone(),
    };
    let view = store.view();
    let (published, watched) = watch::channel(applied);
    let applier = Applier {
        store,
        applied: published,
    };
    Ok(Opened {
        plan,
        replica,
        applier: Some(applier),
        view,
        applied: watched,
        start: Some(start),
    })
}
