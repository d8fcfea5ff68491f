//! The receiving side: a worker that builds replicas from snapshots, beside those that run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use covey_ann::AnnError;
use covey_embeddings::MaintenanceIntake;
use covey_env::{Env, Monotonic, TokenBucket, watch};
use covey_shard::{Incarnation, ShardOptions, ShardStore, ShardStoreError, StagedSnapshot, replica_dir};
use covey_shared::ids::{Generation, NodeId, ReplicaId, ShardId};
use covey_shared::members::ShardDescriptor;
use covey_shared::slots::SlotRange;
use covey_shared::wire::{OpenedSnapshot, RebuildPhase};
use covey_store::kv::KvStore;
use covey_store::log::HardState;

use super::fetch::{Fetch, FetchError, ask_node, io_at, staged};
use super::leaving::shows_gone;
use super::pulls::{Pulls, Want, Work};
use super::rejoin::Bar;
use super::{Arrival, manifest};
use crate::apply::Seat;
use crate::board::Board;
use crate::completions::{Completion, Completions};
use crate::nodes::{Clients, Nodes};
use crate::replicas::ReplicaSet;

/// Pause between tries of what cannot be done yet.
const PAUSE: Duration = Duration::from_millis(200);
/// Pauses after errors, from … to.
const REST: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));
/// Folder of what is being fetched.
const FOLDER: &str = "incoming";

/// Why a replica is not built yet.
#[derive(Debug, thiserror::Error)]
pub(super) enum PullError {
    /// The transfer stopped.
    #[error("the snapshot cannot be fetched")]
    Fetch(#[from] FetchError),
    /// The snapshot is of another shard, or of other members, or there is none.
    #[error("{0}")]
    Unfit(&'static str),
    /// It cannot be taken in, or leftovers cannot be removed.
    #[error("the snapshot cannot be taken in")]
    Store(#[from] ShardStoreError),
    /// The configured index does not fit the space.
    #[error("ann.index in cluster.toml cannot be used")]
    Index(#[from] AnnError),
    /// There is no room for its maintenance.
    #[error("too many shards for the maintenance worker")]
    Maintenance,
}

/// Gives the options of a replica of a shard.
type OptionsOf = dyn Fn(ShardDescriptor, Generation) -> Result<ShardOptions, AnnError> + Send + Sync;

/// A replica that has to ask the other members before it takes part.
#[derive(Clone, Debug)]
pub(crate) struct LostReplica {
    pub(crate) me: ReplicaId,
    /// As of its store, or as its shard was founded.
    pub(crate) descriptor: ShardDescriptor,
    /// Its store has something of which the log knows nothing: it is not new.
    pub(crate) without_log: bool,
    /// Nothing of it is here yet.
    pub(crate) unseated: bool,
}

/// What the puller needs.
pub(crate) struct PullerDeps {
    pub(crate) env: Env,
    /// Options of a replica of this generation.
    pub(crate) options: Box<OptionsOf>,
    /// Bytes per second of all transfers.
    pub(crate) rate: u64,
    /// Share of the disk that stays free.
    pub(crate) min_free: f64,
    /// How long a sender keeps a snapshot that nobody asks for.
    pub(crate) lease: Duration,
    pub(crate) node: NodeId,
    pub(crate) dir: PathBuf,
    pub(crate) kv: Arc<dyn KvStore>,
    /// The slots of every shard.
    pub(crate) slots: BTreeMap<ShardId, SlotRange>,
    /// Replicas of which the log knows nothing, as the start found them.
    pub(crate) lost: BTreeMap<ShardId, LostReplica>,
    pub(crate) board: Arc<Board>,
    pub(crate) replicas: Arc<ReplicaSet>,
    /// Clients of its own: connections, too.
    pub(crate) clients: Clients,
    pub(crate) nodes: Arc<Nodes>,
    pub(crate) maintenance: MaintenanceIntake,
    pub(crate) pulls: Arc<Pulls>,
    pub(crate) done: Completions,
}

/// Builds one replica at a time, so that they do not share the rate.
pub(crate) struct Puller {
    pub(super) deps: PullerDeps,
    bucket: TokenBucket,
    failures: BTreeMap<ShardId, u32>,
    /// Replicas that hear of no leader, and since when.
    pub(super) lonely: BTreeMap<ReplicaId, Monotonic>,
}

impl Puller {
    pub(crate) fn new(deps: PullerDeps) -> Puller {
        Puller {
            bucket: TokenBucket::new(deps.rate),
            deps,
            failures: BTreeMap::new(),
            lonely: BTreeMap::new(),
        }
    }

    /// Works until [`Pulls::close`].
    pub(crate) async fn run(mut self) {
        let pulls = self.deps.pulls.clone();
        while !pulls.is_closed() {
            for (shard, work) in pulls.work(self.deps.env.clock.monotonic()) {
                let outcome = match work {
                    Work::Build(want) => self.build(shard, want).await,
                    Work::CleanUp => self.clean_up(shard),
                    Work::Leave(gone) => self.leave(gone).await,
                    Work::Leaving => Ok(()),
                    Work::Retire => self.retire(shard),
                };
                match outcome {
                    Ok(()) => _ = self.failures.remove(&shard),
                    Err(_) if pulls.is_closed() => return,
                    Err(error) => self.failed(shard, error),
                }
            }
            self.note_lonely();
            pulls.changed(PAUSE).await;
        }
    }

    fn failed(&mut self, shard: ShardId, error: PullError) {
        let failures = self.failures.entry(shard).or_default();
        let rest = match error {
            // The sender's copy may have rotted. While nobody asks for it, it is given up, and the next one is written anew.
            PullError::Fetch(FetchError::Damaged { .. }) => self.deps.lease * 2,
            _ => REST.0.saturating_mul(2_u32.saturating_pow(*failures)).min(REST.1),
        };
        *failures = failures.saturating_add(1);
        tracing::warn!(
            shard = shard.0,
            ?rest,
            error = format!("{:#}", anyhow::Error::new(error)),
            "a replica is not rebuilt, or not removed, yet"
        );
        self.deps.pulls.rest(shard, self.deps.env.clock.monotonic().plus(rest));
    }

    /// One try; what only needs time is tried again.
    async fn build(&mut self, shard: ShardId, want: Want) -> Result<(), PullError> {
        let dir = self.staging(shard);
        let (source, bar) = match want {
            Want::Lagging(_) if self.is_forgotten(shard) => {
                // It has caught up by itself, or the leader is another one.
                self.deps.pulls.clean_up(shard, Weak::new());
                return Ok(());
            }
            // It was removed before it was here.
            Want::Join { .. } if self.is_forgotten(shard) => return self.give_up(shard),
            // No leader of ours has such a shard.
            Want::Join { .. } if !self.deps.slots.contains_key(&shard) => return self.give_up(shard),
            Want::Join { .. } if !self.deps.replicas.has_room() => {
                return Err(PullError::Unfit("this node has as many replicas as it can have"));
            }
            Want::Lagging(node) | Want::Join { from: node, .. } => (node, Bar::default()),
            Want::Damaged(last) => match self.source_of_damaged(shard).await? {
                Some(node) => (node, Bar { last, ..Bar::default() }),
                None => return Ok(()),
            },
            Want::Lost => match self.source_of_lost(shard, &dir).await? {
                Some(found) => found,
                None => return Ok(()),
            },
        };
        let Some(opened) = self.open(shard, source, bar.last).await? else {
            return Ok(());
        };
        if want == Want::Lost && self.is_news(&opened.manifest.descriptor)? {
            // The bar is what others said.
            return Ok(());
        }
        let me = self.replica(shard, want)?;
        if shows_gone(&opened.manifest.descriptor, me) {
            return self.end(me);
        }
        manifest::check(me, self.slots(shard), bar, &opened.manifest).map_err(PullError::Unfit)?;
        let lost = self.deps.lost.get(&shard).filter(|_| want == Want::Lost);
        let unseated = matches!(want, Want::Join { .. }) || lost.is_some_and(|lost| lost.unseated);
        if matches!(want, Want::Join { .. }) && opened.manifest.descriptor.members.votes(me) {
            // It had a vote, so it was here: what it promised is known to the others only.
            self.lost_after_all(me, &opened.manifest.descriptor);
            return Ok(());
        }
        self.show(shard, RebuildPhase::Fetching, Some(source));
        self.deps.pulls.begin(shard, self.deps.env.clock.monotonic());
        self.fetch(shard, source, &dir, &opened).await?;
        self.show(shard, RebuildPhase::Installing, Some(source));
        let sender = opened.manifest.descriptor.members.on(source);
        let sender = sender.ok_or(PullError::Unfit("the snapshot was sent by a node that is no member"))?;
        let hard_state = bar.hard_state(me, sender, opened.leader_term, opened.manifest.index);
        // What is damaged stays until something has taken its place.
        if !matches!(want, Want::Damaged(_)) {
            self.sweep(shard)?;
        }
        let mut arrival = self.install(me, hard_state, &dir, &opened)?;
        arrival.seat = unseated.then(|| Seat {
            applied: watch::Sender::new(opened.manifest.index),
            view: Arc::new(ArcSwap::new(arrival.store.view())),
        });
        self.deps.pulls.handed_over(shard);
        self.deps.done.push(Completion::Arrived(Box::new(arrival)));
        Ok(())
    }

    fn slots(&self, shard: ShardId) -> SlotRange {
        self.deps.slots.get(&shard).copied().unwrap_or(SlotRange::NONE)
    }

    fn is_forgotten(&self, shard: ShardId) -> bool {
        let now = self.deps.env.clock.monotonic();
        self.deps.pulls.is_forgotten(shard, now)
    }

    /// Which replica is built.
    fn replica(&self, shard: ShardId, want: Want) -> Result<ReplicaId, PullError> {
        let me = match want {
            Want::Join { me, .. } => Some(me),
            Want::Lost => self.deps.lost.get(&shard).map(|lost| lost.me),
            Want::Lagging(_) | Want::Damaged(_) => self.deps.board.get(shard).map(|status| status.replica),
        };
        me.ok_or(PullError::Unfit("the replica is gone"))
    }

    fn lost_after_all(&mut self, me: ReplicaId, descriptor: &ShardDescriptor) {
        let lost = LostReplica {
            me,
            descriptor: descriptor.clone(),
            without_log: false,
            unseated: true,
        };
        self.deps.lost.insert(me.shard(), lost);
        self.deps.pulls.is_lost_after_all(me.shard());
    }

    async fn fetch(
        &mut self,
        shard: ShardId,
        source: NodeId,
        dir: &Path,
        opened: &OpenedSnapshot,
    ) -> Result<(), PullError> {
        let client = self.deps.clients.get(source);
        let client = client.ok_or(PullError::Unfit("the leader is on a node that this one does not know"))?;
        let ask = ask_node(&client);
        let mut fetch = Fetch {
            env: &self.deps.env,
            ask: &ask,
            pulls: &self.deps.pulls,
            bucket: &mut self.bucket,
            min_free: self.deps.min_free,
            shard,
            dir,
        };
        Ok(fetch.run(opened).await?)
    }

    pub(super) fn show(&self, shard: ShardId, phase: RebuildPhase, source: Option<NodeId>) {
        self.deps.pulls.show(shard, |status| {
            (status.phase, status.source) = (phase, source);
            status.silent.clear();
        });
    }

    fn install(
        &self,
        me: ReplicaId,
        hard_state: HardState,
        dir: &Path,
        opened: &OpenedSnapshot,
    ) -> Result<Arrival, PullError> {
        let (deps, sent, shard) = (&self.deps, &opened.manifest, me.shard());
        let generation = Incarnation::begin(&*deps.kv, shard)?;
        let files: BTreeMap<&str, PathBuf> = sent
            .files
            .iter()
            .map(|file| (file.name.as_str(), staged(dir, file)))
            .collect();
        let options = (deps.options)(sent.descriptor.clone(), generation)?;
        let staged = StagedSnapshot {
            manifest: sent,
            path_of: &|name| files[name].clone(),
            stop: &|| deps.pulls.is_closed(),
        };
        let target = replica_dir(&deps.dir, shard, generation);
        let (store, _) = ShardStore::install(&deps.env, deps.kv.clone(), &target, options, &staged)?;
        deps.maintenance
            .maintain(store.maintainer())
            .map_err(|_| PullError::Maintenance)?;
        Ok(Arrival {
            shard,
            me,
            seat: None,
            store: Box::new(store),
            generation,
            fetched: manifest::fetched(sent),
            hard_state,
        })
    }

    /// Removes what is not needed any more.
    fn clean_up(&self, shard: ShardId) -> Result<(), PullError> {
        // First, and for good: the bar of this loss must not be taken for that of a later one. What comes after it says,
        // until it is done, that there is something to clean up.
        self.remove_staged(shard)?;
        Incarnation::log_reset(&*self.deps.kv, shard)?;
        self.sweep(shard)?;
        self.deps.pulls.forget(shard);
        Ok(())
    }

    pub(super) fn remove_staged(&self, shard: ShardId) -> Result<(), PullError> {
        let (disk, dir) = (&self.deps.env.disk, self.staging(shard));
        if disk.exists(&dir).map_err(io_at(&dir))? {
            disk.remove_dir_all(&dir).map_err(io_at(&dir))?;
            let parent = self.deps.dir.join(FOLDER);
            disk.sync_dir(&parent).map_err(io_at(&parent))?;
        }
        Ok(())
    }

    fn staging(&self, shard: ShardId) -> PathBuf {
        self.deps.dir.join(FOLDER).join(format!("shard-{:04}", shard.0))
    }

    pub(super) fn sweep(&self, shard: ShardId) -> Result<(), ShardStoreError> {
        let deps = &self.deps;
        let slots = self.slots(shard);
        let dir_of = |generation| replica_dir(&deps.dir, shard, generation);
        let stop = || deps.pulls.is_closed();
        Incarnation::sweep(&deps.env, &*deps.kv, shard, slots, &dir_of, &stop)
    }
}
