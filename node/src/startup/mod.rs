//! Builds a node in a visible order and stops it in reverse. The same code runs in production and in the simulator;
//! they differ in [`NodeParts`].

mod assembly;
#[cfg(test)]
pub(crate) mod fixture;
mod found;
mod open;
mod replicas;
mod report;
mod settings;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, Context};
use actix_rt::Arbiter;
use covey_ann::Backend;
use covey_config::Config;
use covey_embeddings::{Builds, MaintenanceWorker};
use covey_env::{Env, Priority, WorkerHandle};
use covey_rpc::{CallHandler, Handlers, RaftHandler, Server};
use covey_shared::ids::{NodeId, ShardId, Term};
use covey_store::kv::KvStore;
use covey_store::log::{LogEntry, LogError, LogStore, Recovered};
use futures::FutureExt;

use crate::board::Board;
use crate::completions::Completions;
use crate::nodes::Nodes;
use crate::raft::actor::{Inbound, RaftActor};
use crate::replicas::StartShard;
use crate::server::NodeHandle;
use crate::shard::ShardActor;
use crate::verify::Hashes;

use assembly::Starting;
use open::Opening;
use replicas::Replicas;

pub use report::StartReport;

/// How long a node that stops waits for others to lead: an offer takes a round trip, and one to a node that is away lapses, with the default timeouts.
const STEP_DOWN: Duration = Duration::from_secs(1);
/// How long stopping may take per part.
const STOP_DEADLINE: Duration = Duration::from_secs(5);

/// What a node is made of.
pub struct NodeParts {
    /// The world.
    pub env: Env,
    /// The cluster.
    pub config: Config,
    /// Which node this is.
    pub id: NodeId,
    /// Where its files lie; exists.
    pub dir: PathBuf,
    /// Its log.
    pub log: Box<dyn LogStore>,
    /// What the log held.
    pub recovered: Recovered,
    /// Its key-value store.
    pub kv: Arc<dyn KvStore>,
    /// Where its actors run.
    pub threads: Threads,
    /// faiss, or an exact scan in its place for the simulator.
    pub backend: Backend,
    /// Sees what is applied and who leads: the simulator's invariants.
    pub observer: Option<Arc<dyn Observer>>,
    /// What the start has done so far.
    pub start: StartReport,
}

/// Watches a node from inside. Called on the apply workers and on the Raft actor: it must not block.
pub trait Observer: Send + Sync {
    /// A committed entry was applied.
    fn applied(&self, shard: ShardId, entry: &LogEntry);
    /// A snapshot at this index became the replica.
    fn installed(&self, shard: ShardId, index: u64);
    /// A replica of this node leads since this term.
    fn leads(&self, shard: ShardId, term: Term);
}

/// Where actors run.
pub enum Threads {
    /// On arbiters of their own: one for Raft, one for the shards.
    Own {
        /// Runs the Raft actor.
        raft: Arbiter,
        /// Runs shard actors and what is left.
        shards: Arbiter,
    },
    /// On the caller's thread: the simulator's.
    Here,
}

impl Threads {
    /// One arbiter for Raft, so that no query delays a heartbeat, and one for the rest.
    pub fn production() -> Threads {
        Threads::Own {
            raft: Arbiter::new(),
            shards: Arbiter::new(),
        }
    }

    fn raft<A: Actor<Context = Context<A>> + Send>(&self, actor: A) -> Addr<A> {
        match self {
            Threads::Own { raft, .. } => A::start_in_arbiter(&raft.handle(), move |_| actor),
            Threads::Here => actor.start(),
        }
    }

    fn rest<A: Actor<Context = Context<A>> + Send>(&self, actor: A) -> Addr<A> {
        match self {
            Threads::Own { shards, .. } => A::start_in_arbiter(&shards.handle(), move |_| actor),
            Threads::Here => actor.start(),
        }
    }

    /// Starts shard actors later, from any thread.
    fn shards(&self) -> StartShard {
        match self {
            Threads::Own { shards, .. } => {
                let arbiter = shards.handle();
                Box::new(move |actor| ShardActor::start_in_arbiter(&arbiter, move |_| actor))
            }
            Threads::Here => Box::new(ShardActor::start),
        }
    }

    fn stop(&self) {
        if let Threads::Own { raft, shards } = self {
            raft.stop();
            shards.stop();
        }
    }
}

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No such `[[node]]`.
    #[error(
        "cluster.toml has no [[node]] with id {0}; known are {1:?}. A new node joins with --join --listen HOST:PORT"
    )]
    UnknownNode(NodeId, Vec<NodeId>),
    /// The data is of another node: it was copied, or the directory is the wrong one.
    #[error("this data directory is of node {found}, not of node {node}; give each node its own")]
    OtherNode {
        /// Whose it is.
        found: NodeId,
        /// Which node starts.
        node: NodeId,
    },
    /// A replica cannot be opened.
    #[error("shard {shard} cannot be opened")]
    Shard {
        /// The shard.
        shard: ShardId,
        /// What is wrong with it.
        source: covey_shard::ShardStoreError,
    },
    /// The store has applied more than the log holds.
    #[error(
        "shard {shard}: the store has applied entry {applied}, but the log holds {first} to {last}: log and store do not \
         belong together. Put back the files that this node was stopped with, or move its whole directory away: it then \
         fetches everything from the other nodes"
    )]
    LogAndStore {
        /// The shard.
        shard: ShardId,
        /// Applied in the store.
        applied: u64,
        /// First entry of the log.
        first: u64,
        /// Last entry of the log.
        last: u64,
    },
    /// cluster.toml describes other shards or members than those that this node was made with.
    #[error(
        "shard {shard} was made with other slots or members than cluster.toml now describes: cluster.shards, \
         cluster.replication, the ids of the [[node]]s that the cluster was founded with and their meta = true cannot change. Put \
         back the old values; a node that came later has joined = true, and one that was removed stays in the file"
    )]
    LayoutChanged {
        /// The shard.
        shard: ShardId,
    },
    /// The store cannot say which replicas are here.
    #[error("the replicas of this node cannot be listed")]
    Replicas {
        /// What is wrong with it.
        source: covey_shard::ShardStoreError,
    },
    /// There are too many.
    #[error("this node has {0} replicas, and room for {most}", most = crate::apply::MAX_REPLICAS)]
    NoRoom(usize),
    /// The log cannot begin anew behind a snapshot.
    #[error("the log cannot be written")]
    Log(#[from] LogError),
    /// The configured index does not fit the space.
    #[error("ann.index in cluster.toml cannot be used")]
    Index(#[from] covey_ann::AnnError),
    /// The maintenance worker takes no more partitions.
    #[error("too many shards for the maintenance worker")]
    Maintenance,
    /// A thread cannot be started.
    #[error("cannot start a worker thread")]
    Thread(#[source] std::io::Error),
    /// The address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] covey_rpc::ServeError),
}

/// A running node.
pub struct Node {
    server: Server,
    threads: Threads,
    workers: Vec<WorkerHandle>,
    maintenance: MaintenanceWorker,
    handle: Arc<NodeHandle>,
}

impl Node {
    /// Starts everything; the node takes part in its groups and answers calls when this returns.
    ///
    /// # Errors
    /// See [`StartError`]; nothing runs then.
    pub async fn start(parts: NodeParts) -> Result<Node, StartError> {
        let NodeParts {
            env,
            config,
            id,
            dir,
            log,
            recovered,
            kv,
            threads,
            backend,
            observer,
            mut start,
        } = parts;
        let (listen, layout) = (listen_address(&config, id)?, Arc::new(config.layout()));

        // 1. The stores of the replicas, and what their groups start from.
        let builds = Arc::new(Builds::new(env.clock.clone(), config.storage.build_rate.as_u64()));
        let maintenance = MaintenanceWorker::start(&env, config.ann.maintenance_interval, builds.clone());
        let maintenance = maintenance.map_err(StartError::Thread)?;
        let opening = Opening {
            env: &env,
            config: &config,
            layout: &layout,
            node: id,
            dir: &dir,
            kv: kv.clone(),
            backend,
            maintenance: &maintenance,
        };
        let mut replicas = Replicas::open(&opening, log, recovered, &mut start)?;

        // 2. The shard actors, which answer reads.
        let (board, completions) = (Arc::<Board>::default(), Completions::new());
        let reads = replicas.host(&opening, &board, threads.shards())?;

        // 3. The log writer, the apply workers and the checkpointer, which report to the Raft actor.
        let (hashes, to_hash) = Hashes::new(completions.clone());
        let starting = Starting {
            nodes: Nodes::open(&env, &dir, &config.directory()),
            replicas: reads,
            board,
            completions,
            hashes: Arc::new(hashes),
            builds,
            stop: Arc::default(),
            opened: env.clock.monotonic(),
            start,
            env,
            config,
            id,
            kv,
            dir,
            backend,
            pulls: replicas.pulls(),
            lost: replicas.lost(),
            observer,
        };
        let writers = starting.writers(&mut replicas)?;

        // 4. The Raft actor with its streams to the other nodes.
        let raft = threads.raft(starting.raft(&mut replicas, &writers));
        let mut workers = writers.workers;
        workers.push(starting.hash_worker(to_hash)?);

        // 5. The snapshots: those of this node for others, and those of others for this node.
        let snapshots = starting.snapshots(&layout, &maintenance, &mut workers)?;
        let handle = Arc::new(starting.handle(layout, raft.clone(), snapshots));

        // 6. The scrubber, which reads again what lies on the disk.
        starting.scrubber(&handle, writers.lanes, &mut workers)?;

        // 7. What runs on timers.
        starting.timers(&handle, &threads, writers.checkpoints);

        // 8. The door, last: who knocks is served.
        let Starting { env, config, .. } = starting;
        let (options, handlers) = (settings::serve(&config, id), handlers(handle.clone(), raft));
        Ok(Node {
            server: Server::serve(env, &listen, options, handlers).await?,
            threads,
            workers,
            maintenance,
            handle,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        self.server.address()
    }

    /// Resolves when the cluster has removed this node: there is nothing left to do for it.
    pub async fn removed(&self) {
        self.handle.removed.notified().await;
    }

    /// Stops in reverse order: others lead, no new calls, then the actors, then the writers, which finish what they hold.
    pub async fn stop(self) {
        self.handle.step_down(STEP_DOWN).await;
        let cut_off = self.server.shutdown(STOP_DEADLINE).await;
        if cut_off > 0 {
            tracing::warn!(cut_off, "calls were still at work");
        }
        self.handle.close_workers();
        self.threads.stop();
        let kv = self.handle.kv.clone();
        drop(self.handle);
        for worker in self.workers {
            if let Err(error) = worker.join(STOP_DEADLINE).await {
                tracing::warn!(%error, "stopping without it");
            }
        }
        if let Err(error) = self.maintenance.stop(STOP_DEADLINE).await {
            tracing::warn!(%error, "stopping without it");
        }
        // Saves the next start from applying the end of the log again.
        if let Err(error) = kv.persist() {
            tracing::warn!(%error, "stopping without a last sync of the store");
        }
    }
}

fn listen_address(config: &Config, id: NodeId) -> Result<String, StartError> {
    let known = || config.nodes.iter().map(|node| node.id).collect();
    let node = config.node(id).ok_or_else(|| StartError::UnknownNode(id, known()))?;
    Ok(node.listen.as_str().to_owned())
}

fn spawn(
    env: &Env,
    name: &str,
    body: futures::future::BoxFuture<'static, ()>,
    priority: Priority,
) -> Result<WorkerHandle, StartError> {
    env.spawn.worker(name, priority, body).map_err(StartError::Thread)
}

fn handlers(handle: Arc<NodeHandle>, raft: Addr<RaftActor>) -> Handlers {
    let calls: CallHandler = Arc::new(move |request, context| handle.clone().call(request, context.deadline).boxed());
    // Waiting for room in the mailbox slows the sender down; an actor that is gone means that the node stops.
    let raft: RaftHandler = Arc::new(move |_, frame| raft.send(Inbound(frame.messages)).map(|_| ()).boxed());
    Handlers {
        calls,
        raft: Some(raft),
    }
}
