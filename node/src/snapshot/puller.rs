//! The receiving side: a worker that builds replicas from snapshots, beside those that run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use covey_ann::AnnError;
use covey_embeddings::MaintenanceIntake;
use covey_env::{Env, TokenBucket};
use covey_rpc::NodeClient;
use covey_shard::{Incarnation, ShardOptions, ShardStore, ShardStoreError, StagedSnapshot, replica_dir};
use covey_shared::ids::{Generation, LogIndex, NodeId, ShardId};
use covey_shared::layout::ShardPlan;
use covey_shared::wire::{OpenedSnapshot, RebuildPhase, ReplyBody, RequestBody, ShardError, Standing};
use covey_store::kv::KvStore;
use covey_store::log::HardState;
use futures::future::join_all;

use super::fetch::{Fetch, FetchError, ask_node, io_at, staged};
use super::pulls::{Pulls, Want, Work};
use super::rejoin::{Answers, Bar, judge, leader};
use super::{Arrival, manifest};
use crate::completions::{Completion, Completions};
use crate::question::{AskError, ask};

/// Pause between tries of what cannot be done yet.
const PAUSE: Duration = Duration::from_millis(200);
/// Pauses after errors, from … to.
const REST: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));
/// Time for a question to another node.
const ASK_DEADLINE: Duration = Duration::from_secs(2);
/// Folder of what is being fetched.
const FOLDER: &str = "incoming";
/// Name of the file that keeps a [`Bar`].
const BAR: &str = "bar";

/// Why a replica is not built yet.
#[derive(Debug, thiserror::Error)]
enum PullError {
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

/// Gives the options of a replica.
type OptionsOf = dyn Fn(&ShardPlan, Generation) -> Result<ShardOptions, AnnError> + Send + Sync;

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
    pub(crate) plans: BTreeMap<ShardId, ShardPlan>,
    /// Replicas whose store has something of which the log knows nothing: they are not new.
    pub(crate) without_log: BTreeSet<ShardId>,
    /// Clients of its own: connections, too.
    pub(crate) clients: BTreeMap<NodeId, NodeClient>,
    pub(crate) maintenance: MaintenanceIntake,
    pub(crate) pulls: Arc<Pulls>,
    pub(crate) done: Completions,
}

/// Builds one replica at a time, so that they do not share the rate.
pub(crate) struct Puller {
    deps: PullerDeps,
    bucket: TokenBucket,
    failures: BTreeMap<ShardId, u32>,
}

impl Puller {
    pub(crate) fn new(deps: PullerDeps) -> Puller {
        Puller {
            bucket: TokenBucket::new(deps.rate),
            deps,
            failures: BTreeMap::new(),
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
                };
                match outcome {
                    Ok(()) => _ = self.failures.remove(&shard),
                    Err(_) if pulls.is_closed() => return,
                    Err(error) => self.failed(shard, error),
                }
            }
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
            "a replica is not rebuilt yet"
        );
        self.deps.pulls.rest(shard, self.deps.env.clock.monotonic().plus(rest));
    }

    /// One try; what only needs time is tried again.
    async fn build(&mut self, shard: ShardId, want: Want) -> Result<(), PullError> {
        let dir = self.staging(shard);
        let (source, bar) = match want {
            Want::Lagging(_) if self.deps.pulls.is_forgotten(shard, self.deps.env.clock.monotonic()) => {
                // It has caught up by itself, or the leader is another one.
                self.deps.pulls.clean_up(shard, Weak::new());
                return Ok(());
            }
            Want::Lagging(node) => (node, Bar::default()),
            Want::Damaged(last) => match self.source_of_damaged(shard).await {
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
        let plan = &self.deps.plans[&shard];
        manifest::check(plan, bar, &opened.manifest).map_err(PullError::Unfit)?;
        self.show(shard, RebuildPhase::Fetching, Some(source));
        self.deps.pulls.begin(shard, self.deps.env.clock.monotonic());
        self.fetch(shard, source, &dir, &opened).await?;
        self.show(shard, RebuildPhase::Installing, Some(source));
        let hard_state = self.hard_state(shard, source, bar, &opened);
        // What is damaged stays until something has taken its place.
        if !matches!(want, Want::Damaged(_)) {
            self.sweep(shard)?;
        }
        let arrival = self.install(shard, hard_state, &dir, &opened)?;
        self.deps.pulls.handed_over(shard);
        self.deps.done.push(Completion::Arrived(Box::new(arrival)));
        Ok(())
    }

    async fn fetch(
        &mut self,
        shard: ShardId,
        source: NodeId,
        dir: &Path,
        opened: &OpenedSnapshot,
    ) -> Result<(), FetchError> {
        let ask = ask_node(&self.deps.clients[&source]);
        let mut fetch = Fetch {
            env: &self.deps.env,
            ask: &ask,
            pulls: &self.deps.pulls,
            bucket: &mut self.bucket,
            min_free: self.deps.min_free,
            shard,
            dir,
        };
        fetch.run(opened).await
    }

    fn show(&self, shard: ShardId, phase: RebuildPhase, source: Option<NodeId>) {
        self.deps.pulls.show(shard, |status| {
            (status.phase, status.source) = (phase, source);
            status.silent.clear();
        });
    }

    /// Who to fetch from, and what it must have. `None`: not yet, or there is nothing to fetch.
    async fn source_of_lost(&self, shard: ShardId, dir: &Path) -> Result<Option<(NodeId, Bar)>, PullError> {
        let plan = &self.deps.plans[&shard];
        let me = plan.on(self.deps.node).expect("only replicas of this node are pulled");
        let others = self.standings(plan).await;
        let stored = self.stored_bar(dir);
        let bar = match (judge(me.replica, &others), stored) {
            (Answers::Known(bar), _) => stored.map_or(bar, |stored| stored.lower(bar)),
            (_, Some(stored)) => stored,
            (Answers::Silent(silent), None) => {
                self.deps.pulls.show(shard, |status| status.silent = silent);
                return Ok(None);
            }
            (Answers::New(_), None) if self.deps.without_log.contains(&shard) => {
                return Err(PullError::Unfit(
                    "the log of this replica is gone, and no other member has one",
                ));
            }
            (Answers::New(hard_state), None) => {
                self.deps.pulls.handed_over(shard);
                self.deps.done.push(Completion::New { shard, hard_state });
                return Ok(None);
            }
        };
        if stored != Some(bar) {
            let index = bar.last.0;
            tracing::info!(
                shard = shard.0,
                index,
                "this replica lost its data, and is built from a snapshot"
            );
            self.store_bar(dir, bar)?;
        }
        let source = leader(&others);
        self.show(shard, RebuildPhase::Waiting, source);
        Ok(source.map(|node| (node, bar)))
    }

    /// The leader; `None` while there is none.
    async fn source_of_damaged(&self, shard: ShardId) -> Option<NodeId> {
        let source = leader(&self.standings(&self.deps.plans[&shard]).await);
        self.show(shard, RebuildPhase::Waiting, source);
        source
    }

    async fn standings(&self, plan: &ShardPlan) -> Vec<(NodeId, Option<Standing>)> {
        let others = plan
            .voters
            .iter()
            .map(|place| place.node)
            .filter(|node| *node != self.deps.node);
        let ask = |node: NodeId| async move {
            let reply = self.ask(node, RequestBody::Standing { shard: plan.shard }).await;
            match reply {
                Ok(ReplyBody::Standing(Ok(standing))) => (node, Some(standing)),
                Ok(_) | Err(_) => (node, None),
            }
        };
        join_all(others.map(ask)).await
    }

    fn stored_bar(&self, dir: &Path) -> Option<Bar> {
        let bytes = self.deps.env.disk.read_file(&dir.join(BAR), 1 << 10).ok()?;
        Bar::from_bytes(&bytes)
    }

    fn store_bar(&self, dir: &Path, bar: Bar) -> Result<(), PullError> {
        let (path, disk) = (dir.join(BAR), &self.deps.env.disk);
        let stored = disk
            .create_dir_all(dir)
            .and_then(|()| disk.replace_file(&path, &bar.to_bytes()));
        Ok(stored.map_err(io_at(&path))?)
    }

    async fn ask(&self, node: NodeId, body: RequestBody) -> Result<ReplyBody, FetchError> {
        Ok(ask(&self.deps.clients[&node], ASK_DEADLINE, body).await?)
    }

    /// `None` while it is being written, or the sender has not yet applied enough, or does not lead any more.
    async fn open(
        &self,
        shard: ShardId,
        from: NodeId,
        at_least: LogIndex,
    ) -> Result<Option<OpenedSnapshot>, PullError> {
        match self.ask(from, RequestBody::OpenSnapshot { shard, at_least }).await? {
            ReplyBody::OpenSnapshot(Ok(opened)) => Ok(Some(*opened)),
            ReplyBody::OpenSnapshot(Err(ShardError::Overloaded { retry_after_ms })) => {
                let pause = Duration::from_millis(u64::from(retry_after_ms));
                let deps = &self.deps;
                deps.pulls.rest(shard, deps.env.clock.monotonic().plus(pause));
                Ok(None)
            }
            ReplyBody::OpenSnapshot(Err(ShardError::NotReady(_) | ShardError::NotLeader { .. })) => Ok(None),
            ReplyBody::OpenSnapshot(Err(error)) => Err(FetchError::from(AskError::from(error)).into()),
            _ => Err(FetchError::from(AskError::Answer).into()),
        }
    }

    fn hard_state(&self, shard: ShardId, source: NodeId, bar: Bar, opened: &OpenedSnapshot) -> HardState {
        let plan = &self.deps.plans[&shard];
        let replica = |node| plan.on(node).expect("both are members").replica;
        bar.hard_state(
            replica(self.deps.node),
            replica(source),
            opened.leader_term,
            opened.manifest.index,
        )
    }

    fn install(
        &self,
        shard: ShardId,
        hard_state: HardState,
        dir: &Path,
        opened: &OpenedSnapshot,
    ) -> Result<Arrival, PullError> {
        let (deps, sent) = (&self.deps, &opened.manifest);
        let plan = &deps.plans[&shard];
        let generation = Incarnation::begin(&*deps.kv, shard)?;
        let files: BTreeMap<&str, PathBuf> = sent
            .files
            .iter()
            .map(|file| (file.name.as_str(), staged(dir, file)))
            .collect();
        let options = (deps.options)(plan, generation)?;
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
            store: Box::new(store),
            generation,
            fetched: manifest::fetched(sent),
            hard_state,
        })
    }

    /// Removes what is not needed any more.
    fn clean_up(&self, shard: ShardId) -> Result<(), PullError> {
        let (deps, dir) = (&self.deps, self.staging(shard));
        // First, and for good: the bar of this loss must not be taken for that of a later one. What comes after it says,
        // until it is done, that there is something to clean up.
        if deps.env.disk.exists(&dir).map_err(io_at(&dir))? {
            deps.env.disk.remove_dir_all(&dir).map_err(io_at(&dir))?;
            let parent = deps.dir.join(FOLDER);
            deps.env.disk.sync_dir(&parent).map_err(io_at(&parent))?;
        }
        Incarnation::log_reset(&*deps.kv, shard)?;
        self.sweep(shard)?;
        deps.pulls.forget(shard);
        Ok(())
    }

    fn staging(&self, shard: ShardId) -> PathBuf {
        self.deps.dir.join(FOLDER).join(format!("shard-{:04}", shard.0))
    }

    fn sweep(&self, shard: ShardId) -> Result<(), ShardStoreError> {
        let deps = &self.deps;
        let slots = deps.plans[&shard].slots;
        let dir_of = |generation| replica_dir(&deps.dir, shard, generation);
        let stop = || deps.pulls.is_closed();
        Incarnation::sweep(&deps.env, &*deps.kv, shard, slots, &dir_of, &stop)
    }
}
