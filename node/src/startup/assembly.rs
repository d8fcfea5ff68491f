//! The parts of a node, each built from what was built before it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use actix::Addr;
use covey_ann::Backend;
use covey_config::Config;
use covey_embeddings::{Builds, MaintenanceWorker};
use covey_env::{Env, Monotonic, Priority, WorkerHandle};
use covey_shared::ids::{NodeId, ShardId};
use covey_shared::layout::Layout;
use covey_store::kv::KvStore;
use futures::FutureExt;
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc};

use super::replicas::Replicas;
use super::{Observer, StartError, StartReport, Threads, settings, spawn};
use crate::apply::{ApplyLanes, ApplyWorker};
use crate::board::Board;
use crate::checkpointer::{Checkpointer, Checkpoints};
use crate::completions::Completions;
use crate::disk_room::DiskWatch;
use crate::disk_stalls::StallWatch;
use crate::log_writer::LogWriter;
use crate::maintenance_actor::MaintenanceActor;
use crate::nodes::{Clients, Nodes};
use crate::operations::{OperationsActor, OperationsDeps};
use crate::outbox_actor::OutboxActor;
use crate::peers::Peers;
use crate::raft::actor::{RaftActor, RaftDeps};
use crate::raft::{AppendTask, Engine};
use crate::replicas::ReplicaSet;
use crate::scrub::{Scrubber, ScrubberDeps, Scrubs};
use crate::server::NodeHandle;
use crate::set_aside::DamageWatch;
use crate::settings::KnownSettings;
use crate::snapshot::{LostReplica, Puller, PullerDeps, Pulls, Snapshots};
use crate::verify::{HashWorker, Hashes, Job, Rounds};

/// Batches that wait for the log writer. A ready is only taken when there is room.
const LOG_QUEUE: usize = 8;

/// What the parts of a node are built from.
pub(super) struct Starting {
    pub(super) env: Env,
    pub(super) config: Config,
    pub(super) id: NodeId,
    pub(super) nodes: Arc<Nodes>,
    pub(super) kv: Arc<dyn KvStore>,
    pub(super) dir: PathBuf,
    pub(super) backend: Backend,
    pub(super) pulls: Arc<Pulls>,
    /// Replicas of which the log knows nothing.
    pub(super) lost: BTreeMap<ShardId, LostReplica>,
    pub(super) observer: Option<Arc<dyn Observer>>,
    /// What reads find.
    pub(super) replicas: Arc<ReplicaSet>,
    pub(super) board: Arc<Board>,
    pub(super) completions: Completions,
    pub(super) hashes: Arc<Hashes>,
    pub(super) builds: Arc<Builds>,
    pub(super) stop: Arc<AtomicBool>,
    /// When the replicas were open.
    pub(super) opened: Monotonic,
    /// What the start took until then.
    pub(super) start: StartReport,
}

/// The threads that write, and the ways to them.
pub(super) struct Writers {
    pub(super) log: mpsc::Sender<Vec<AppendTask>>,
    pub(super) lanes: ApplyLanes,
    pub(super) checkpoints: Checkpoints,
    pub(super) workers: Vec<WorkerHandle>,
}

impl Starting {
    pub(super) fn writers(&self, replicas: &mut Replicas) -> Result<Writers, StartError> {
        let (log, input) = mpsc::channel(LOG_QUEUE);
        let writer = LogWriter {
            env: self.env.clone(),
            stalls: self.board.stalls.clone(),
            part_bytes: self.config.raft.wal_segment.as_usize() / 4,
            max_segments: (self.config.raft.max_wal.as_u64() / self.config.raft.wal_segment.as_u64()).max(2) as usize,
            log: replicas.take_log(),
            input,
            done: self.completions.clone(),
        };
        let mut workers = vec![spawn(&self.env, "wal", writer.run().boxed(), Priority::Normal)?];
        let (lanes, inputs) = ApplyLanes::new(self.config.storage.apply_threads);
        let (checkpoints, input) = Checkpoints::new();
        let checkpointer = Checkpointer {
            input,
            lanes: lanes.clone(),
            kv: self.kv.clone(),
            done: self.completions.clone(),
        };
        // Before the apply workers, which end when it has ended.
        workers.push(spawn(
            &self.env,
            "checkpoint",
            checkpointer.run().boxed(),
            Priority::Normal,
        )?);
        for (i, jobs) in inputs.into_iter().enumerate() {
            let worker = ApplyWorker {
                shards: replicas.appliers(|shard| lanes.number(shard) == i),
                jobs,
                kv: self.kv.clone(),
                done: self.completions.clone(),
                observer: self.observer.clone(),
                damage: self.damage(),
                hashes: self.hashes.clone(),
                left: None,
            };
            let name = format!("apply-{i}");
            workers.push(spawn(&self.env, &name, worker.run().boxed(), Priority::Normal)?);
        }
        Ok(Writers {
            log,
            lanes,
            checkpoints,
            workers,
        })
    }

    pub(super) fn raft(&self, replicas: &mut Replicas, writers: &Writers) -> RaftActor {
        let (entropy, raft) = (self.env.entropy.clone(), &self.config.raft);
        let random = || (entropy.next_u64() >> 1) as usize;
        let limits = settings::raft_limits(&self.config);
        let mut engine = Engine::new(self.id, replicas.take_groups(), limits, random);
        engine.bury(replicas.gone());
        RaftActor::new(RaftDeps {
            env: self.env.clone(),
            engine,
            log: writers.log.clone(),
            apply: writers.lanes.clone(),
            peers: Peers::start(
                &self.env,
                self.id,
                &self.nodes,
                settings::raft_sender(&self.config, self.id),
            ),
            completions: self.completions.clone(),
            board: self.board.clone(),
            observer: self.observer.clone(),
            replicas: self.replicas.clone(),
            pulls: self.pulls.clone(),
            tick: raft.tick,
            max_catch_up_ticks: raft.max_catch_up_ticks,
            mailbox: raft.mailbox,
        })
    }

    /// What this node sends, and who fetches what others send.
    pub(super) fn snapshots(
        &self,
        layout: &Layout,
        maintenance: &MaintenanceWorker,
        workers: &mut Vec<WorkerHandle>,
    ) -> Result<Arc<Snapshots>, StartError> {
        let lease = self.config.raft.snapshot_lease;
        let (config, backend) = (self.config.clone(), self.backend);
        let (snapshots, exports) = Snapshots::new(
            self.env.clone(),
            &self.dir,
            lease,
            self.completions.clone(),
            self.board.clone(),
        );
        let puller = Puller::new(PullerDeps {
            env: self.env.clone(),
            options: Box::new(move |descriptor, generation| settings::shard(&config, descriptor, generation, backend)),
            rate: self.config.raft.snapshot_rate.as_u64(),
            min_free: self.config.storage.min_free_disk_ratio,
            lease,
            node: self.id,
            dir: self.dir.clone(),
            kv: self.kv.clone(),
            slots: layout.groups().map(|plan| (plan.shard, plan.slots)).collect(),
            lost: self.lost.clone(),
            board: self.board.clone(),
            replicas: self.replicas.clone(),
            clients: self.clients(),
            nodes: self.nodes.clone(),
            maintenance: maintenance.intake(),
            pulls: self.pulls.clone(),
            done: self.completions.clone(),
        });
        workers.push(spawn(&self.env, "export", exports.run().boxed(), Priority::Low)?);
        workers.push(spawn(&self.env, "pull", puller.run().boxed(), Priority::Low)?);
        Ok(snapshots)
    }

    /// Maintenance, checks and the outbox.
    pub(super) fn timers(&self, handle: &Arc<NodeHandle>, threads: &Threads, checkpoints: Checkpoints) {
        let config = &self.config;
        let clients = Arc::new(self.clients());
        threads.rest(MaintenanceActor {
            plan: settings::maintenance(config),
            checkpoints,
            disk: DiskWatch::new(self.dir.clone(), config.storage.min_free_disk_ratio),
            stalls: StallWatch::default(),
            handle: handle.clone(),
            rounds: config.storage.verify_interval.map(|interval| Rounds {
                handle: handle.clone(),
                clients: clients.clone(),
                interval,
            }),
        });
        threads.rest(OutboxActor::new(
            handle.clone(),
            clients.clone(),
            config.coordinator.mailbox,
        ));
        threads.rest(OperationsActor::new(OperationsDeps {
            handle: handle.clone(),
            clients,
            places: config.directory().nodes,
            limits: handle.operation_limits,
            mailbox: config.coordinator.mailbox,
        }));
    }

    /// The ways to all nodes, for one runtime.
    fn clients(&self) -> Clients {
        Clients::new(self.nodes.clone(), settings::client(&self.config, self.id))
    }

    fn damage(&self) -> DamageWatch {
        DamageWatch::new(self.env.disk.clone(), &self.dir)
    }

    /// Who hashes replicas.
    pub(super) fn hash_worker(&self, jobs: mpsc::Receiver<Job>) -> Result<WorkerHandle, StartError> {
        let worker = HashWorker {
            jobs,
            hashes: Arc::downgrade(&self.hashes),
            damage: self.damage(),
            stop: self.stop.clone(),
        };
        spawn(&self.env, "hash", worker.run().boxed(), Priority::Low)
    }

    pub(super) fn handle(&self, layout: Arc<Layout>, raft: Addr<RaftActor>, snapshots: Arc<Snapshots>) -> NodeHandle {
        let config = &self.config;
        let now = self.env.clock.monotonic();
        let mut report = self.start.clone();
        report.add("threads", now.since(self.opened), 0);
        report.log();
        NodeHandle {
            replicas: self.replicas.clone(),
            env: self.env.clone(),
            cluster: config.cluster.id(),
            node: self.id,
            nodes: self.nodes.clone(),
            settings: KnownSettings::open(&self.env, &self.dir),
            asked: Mutex::default(),
            removed: Notify::new(),
            layout,
            raft,
            board: self.board.clone(),
            sightings: Arc::default(),
            operation_limits: settings::operations(config),
            election_timeout: config.raft.tick * config.raft.election_ticks as u32,
            kv: self.kv.clone(),
            snapshots,
            pulls: self.pulls.clone(),
            hashes: self.hashes.clone(),
            stop: self.stop.clone(),
            scrubs: Arc::new(Scrubs::new()),
            builds: self.builds.clone(),
            content: settings::CONTENT.to_owned(),
            started: now,
            start: report.phases(),
            memory_budget: config.storage.columns.as_u64(),
            max_log_bytes: config.raft.max_wal.as_u64(),
            max_entry_bytes: config.raft.max_entry.as_usize(),
            max_batch_items: config.raft.max_batch_items,
        }
    }

    /// Who reads the files of vectors again and heals them.
    pub(super) fn scrubber(
        &self,
        handle: &NodeHandle,
        lanes: ApplyLanes,
        workers: &mut Vec<WorkerHandle>,
    ) -> Result<(), StartError> {
        let storage = &self.config.storage;
        let scrubber = Scrubber::new(ScrubberDeps {
            env: self.env.clone(),
            node: self.id,
            replicas: self.replicas.clone(),
            clients: self.clients(),
            lanes,
            scrubs: handle.scrubs.clone(),
            rate: storage.scrub_rate.as_u64(),
            interval: storage.scrub_interval,
        });
        workers.push(spawn(&self.env, "scrub", scrubber.run().boxed(), Priority::Low)?);
        Ok(())
    }
}
