//! Opens the replicas of a node: the store of each, and what its Raft group starts from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Weak};

use actix::Addr;
use arc_swap::ArcSwap;
use covey_ann::Backend;
use covey_config::Config;
use covey_embeddings::MaintenanceWorker;
use covey_env::{Env, Monotonic};
use covey_shard::{Applied, Incarnation, OpenReport, ShardStore, ShardStoreError, ShardView, replica_dir};
use covey_shared::ids::{Generation, LogIndex, NodeId, ReplicaId, ShardId};
use covey_shared::layout::{Layout, ShardPlan};
use covey_store::kv::KvStore;
use covey_store::log::{GroupId, LogBatch, LogPosition, LogStore, Recovered, RecoveredGroup};
use tokio::sync::{Semaphore, watch};

use super::{StartError, StartReport, settings};
use crate::apply::Applier;
use crate::board::Board;
use crate::raft::GroupStart;
use crate::server::Replica;
use crate::shard::{ReplicaDeps, ShardActor};
use crate::snapshot::{Pulls, Want};

/// One opened replica, before its parts go to their threads.
struct Opened {
    plan: ShardPlan,
    replica: ReplicaId,
    applier: Option<Applier>,
    view: Arc<ArcSwap<ShardView>>,
    applied: watch::Receiver<LogIndex>,
    /// `None`: the log knows nothing of it.
    start: Option<GroupStart>,
}

/// The replicas of this node, by shard.
pub(crate) struct Replicas {
    opened: BTreeMap<ShardId, Opened>,
    log: Option<Box<dyn LogStore>>,
    pulls: Arc<Pulls>,
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
    /// Opens every replica that the layout places on this node. One of which the log knows nothing is new, or lost everything:
    /// it takes part in its group once the other members have been asked.
    pub(crate) fn open(
        opening: &Opening<'_>,
        layout: &Layout,
        mut log: Box<dyn LogStore>,
        mut recovered: Recovered,
        start: &mut StartReport,
    ) -> Result<Replicas, StartError> {
        if let Some(torn) = &recovered.torn {
            let (path, offset, bytes) = (torn.path.display(), torn.offset, torn.bytes);
            tracing::warn!(%path, offset, bytes, "the log ended in an unfinished write, never acknowledged: cut off");
        }
        let here = |plan: &ShardPlan| plan.on(opening.node).map(|place| (plan.clone(), place.replica));
        let plans: Vec<(ShardPlan, ReplicaId)> = layout.shards.iter().filter_map(here).collect();
        let mut opened = BTreeMap::new();
        let (pulls, mut resets) = (Arc::new(Pulls::default()), LogBatch::new());
        for (done, (plan, replica)) in plans.iter().enumerate() {
            let group = recovered.groups.remove(&GroupId(replica.0));
            let (one, leftovers, report) = open_one(opening, plan.clone(), *replica, group, &mut resets)?;
            start.add_replica(&report);
            if one.start.is_none() {
                pulls.want(plan.shard, Want::Lost, Monotonic::default());
            } else if leftovers {
                pulls.clean_up(plan.shard, Weak::new());
            }
            tracing::info!(shard = plan.shard.0, done = done + 1, of = plans.len(), "replica open");
            opened.insert(plan.shard, one);
        }
        if !recovered.groups.is_empty() {
            return Err(StartError::UnknownReplicas(
                recovered.groups.keys().map(|group| group.0).collect(),
            ));
        }
        if !resets.is_empty() {
            log.append(&resets)?;
            log.sync()?;
        }
        Ok(Replicas {
            opened,
            log: Some(log),
            pulls,
        })
    }

    pub(crate) fn shards(&self) -> Vec<ShardId> {
        self.opened.keys().copied().collect()
    }

    pub(crate) fn plans(&self) -> BTreeMap<ShardId, ShardPlan> {
        self.opened.iter().map(|(shard, o)| (*shard, o.plan.clone())).collect()
    }

    /// The replicas that have to be fetched, or have leftovers to remove.
    pub(crate) fn pulls(&self) -> Arc<Pulls> {
        self.pulls.clone()
    }

    /// The replicas whose store has something of which the log knows nothing.
    pub(crate) fn without_log(&self) -> BTreeSet<ShardId> {
        let lost = |o: &&Opened| o.start.is_none() && *o.applied.borrow() > LogIndex(0);
        self.opened.values().filter(lost).map(|o| o.plan.shard).collect()
    }

    pub(crate) fn ids(&self) -> BTreeMap<ShardId, ReplicaId> {
        self.opened.iter().map(|(shard, o)| (*shard, o.replica)).collect()
    }

    pub(crate) fn take_log(&mut self) -> Box<dyn LogStore> {
        self.log.take().expect("the log goes to one writer")
    }

    pub(crate) fn take_groups(&mut self) -> Vec<(ShardPlan, Option<GroupStart>)> {
        let group = |o: &mut Opened| (o.plan.clone(), o.start.take());
        self.opened.values_mut().map(group).collect()
    }

    /// The writing sides of these shards.
    pub(crate) fn appliers(&mut self, shards: &[ShardId]) -> BTreeMap<ShardId, Applier> {
        let mut take = |shard: &ShardId| Some((*shard, self.opened.get_mut(shard)?.applier.take()?));
        shards.iter().filter_map(&mut take).collect()
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
            Replica::new(o.plan, start(ShardActor::new(deps)), o.view)
        };
        self.opened.into_iter().map(|(shard, o)| (shard, replica(o))).collect()
    }
}

/// Also whether an earlier snapshot has left something to remove, and what the store found.
fn open_one(
    opening: &Opening<'_>,
    plan: ShardPlan,
    replica: ReplicaId,
    log: Option<RecoveredGroup>,
    resets: &mut LogBatch,
) -> Result<(Opened, bool, OpenReport), StartError> {
    let shard = plan.shard;
    let failed = |source| StartError::Shard { shard, source };
    let incarnation = Incarnation::load(&*opening.kv, shard).map_err(failed)?;
    let generation = incarnation.generation;
    let ((store, report), emptied) = match open_store(opening, &plan, generation) {
        Err(StartError::Shard { source, .. })
            if log.is_some() && plan.voters.len() > 1 && source.is_damage() && !source.is_kv_damage() =>
        {
            (begin_anew(opening, &plan, source)?, true)
        }
        opened => (opened?, false),
    };
    opening
        .maintenance
        .maintain(store.maintainer())
        .map_err(|_| StartError::Maintenance)?;
    let made = store.applied();
    let planned: Vec<u64> = plan.voters.iter().map(|place| place.replica.0).collect();
    if (&made.voters, made.slots, made.epoch) != (&planned, plan.slots, plan.epoch) {
        return Err(StartError::LayoutChanged { shard });
    }
    if log.is_none() && plan.voters.len() == 1 {
        // Nobody else has what the log had.
        check_log(shard, &RecoveredGroup::default(), made.index)?;
    }
    let start = log
        .map(|mut log| {
            if incarnation.log_behind && log.compacted.index <= made.index.0 && !has(&log, made) {
                reset(&mut log, made, replica, resets);
            }
            group_start(&plan, log, made)
        })
        .transpose()?;
    let damaged = start.as_ref().is_some_and(|start| start.damaged);
    let (published, watched) = watch::channel(made.index);
    let view = Arc::new(ArcSwap::new(store.view()));
    let opened = Opened {
        plan,
        replica,
        view: view.clone(),
        applied: watched,
        start,
        applier: Some(Applier {
            store,
            applied: published,
            view,
        }),
    };
    let leftovers = incarnation.log_behind || !incarnation.retired.is_empty();
    // What is damaged stays until something has taken its place.
    Ok((opened, leftovers && !emptied && !damaged, report))
}

fn group_start(plan: &ShardPlan, log: RecoveredGroup, made: &Applied) -> Result<GroupStart, StartError> {
    // An empty store under a log that begins later: a snapshot has to come first. Any other gap is a store of another time.
    let damaged = made.index == LogIndex(0) && log.compacted.index > 0 && plan.voters.len() > 1;
    if !damaged {
        check_log(plan.shard, &log, made.index)?;
    }
    Ok(GroupStart {
        log,
        applied: made.index.0,
        voters: made.voters.clone(),
        damaged,
    })
}

fn open_store(
    opening: &Opening<'_>,
    plan: &ShardPlan,
    generation: Generation,
) -> Result<(ShardStore, OpenReport), StartError> {
    let options = settings::shard(opening.config, plan, generation, opening.backend)?;
    let dir = replica_dir(opening.dir, plan.shard, generation);
    let opened = ShardStore::open(opening.env, opening.kv.clone(), &dir, options);
    let shard = plan.shard;
    opened.map_err(|source| StartError::Shard { shard, source })
}

/// What is there cannot be read: an empty store takes its place, which the log or a snapshot fills. The damaged one stays on the
/// disk until then.
fn begin_anew(
    opening: &Opening<'_>,
    plan: &ShardPlan,
    damage: ShardStoreError,
) -> Result<(ShardStore, OpenReport), StartError> {
    let shard = plan.shard;
    tracing::error!(
        shard = shard.0,
        error = format!("{:#}", anyhow::Error::new(damage)),
        "this replica is damaged, and gets its data from the others"
    );
    let failed = |source| StartError::Shard { shard, source };
    let generation = Incarnation::begin(&*opening.kv, shard).map_err(failed)?;
    Incarnation::switch(&*opening.kv, shard, generation).map_err(failed)?;
    open_store(opening, plan, generation)
}

/// Whether the log has the very entry that the store applied last.
fn has(log: &RecoveredGroup, made: &Applied) -> bool {
    let (index, term) = (made.index.0, made.term.0);
    let compacted = log.compacted == LogPosition { index, term };
    compacted
        || log
            .entries
            .iter()
            .any(|entry| (entry.index, entry.term) == (index, term))
}

/// The store holds a snapshot, the log what was there before: the node ended in between.
fn reset(log: &mut RecoveredGroup, made: &Applied, replica: ReplicaId, resets: &mut LogBatch) {
    let at = LogPosition {
        index: made.index.0,
        term: made.term.0,
    };
    let group = GroupId(replica.0);
    resets.truncate(group, at.index + 1).compact(group, at);
    log.entries.clear();
    log.compacted = at;
}

fn check_log(shard: ShardId, log: &RecoveredGroup, applied: LogIndex) -> Result<(), StartError> {
    let (first, last) = (log.compacted.index + 1, log.last());
    if (first - 1..=last).contains(&applied.0) {
        return Ok(());
    }
    Err(StartError::LogAndStore {
        shard,
        applied: applied.0,
        first,
        last,
    })
}
