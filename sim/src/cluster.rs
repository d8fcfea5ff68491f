//! One run: hosts, writers, nemesis, verification.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use covey_ann::Backend;
use covey_config::{Address, ByteSize, Config, NodeConfig};
use covey_node::{Node, NodeParts, StartReport, Threads};
use covey_shared::ids::{NodeId, ReplicaId};
use covey_store::kv::JournalKv;
use covey_store::log::{Wal, WalOptions};
use rand::SeedableRng;
use rand::rngs::SmallRng;

use crate::client::{CLASSES, WRITERS};
use crate::env::{HostWorld, Neighbours, Room, env};
use crate::history::{Shared, Witness};
use crate::loss::Loss;
use crate::nemesis::{Faults, Nemesis};
use crate::process::{End, Process};
use crate::{Plan, client, coordinators, invariants, operators, panics, sharers, verify};

/// Hosts of a simulated cluster.
pub(crate) const HOSTS: u64 = 5;
/// The one that the cluster was not founded with, and that only its own configuration names.
const JOINS: u64 = HOSTS;
/// Coordinators.
const COORDINATORS: u64 = 2;
/// Clients that share posts.
const SHARERS: u64 = 3;
/// Operators, who know nothing of each other.
pub(crate) const OPERATORS: u64 = 3;
/// After the faults: time for elections, catching up and the verification.
const SETTLE: Duration = Duration::from_secs(30);
/// One step of the simulation.
const TICK: Duration = Duration::from_millis(2);
/// Of a write that a crash interrupts, so many bytes reach the platter or do not: a sector.
const SECTOR: u64 = 512;
/// Segments of a connection that wait to be read. Few: a cut loses some for good, where a real network sends them again, and the
/// sender finds out when no more fit.
const SEGMENTS: usize = 64;
/// Free thousandths of a disk that has room.
pub(crate) const ROOMY: u64 = 500;

/// What a run showed.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// Equal for every run of the seed.
    pub trace_hash: u64,
    /// Entries applied, over all replicas.
    pub applied: u64,
    /// Acknowledged writes that were verified.
    pub acknowledged: usize,
    /// Changes of follows between shards.
    pub followed: u64,
    /// Reads and writes of posts that clients share, which were checked for linearizability.
    pub shared: usize,
    /// Posts whose history nobody can judge in reasonable time.
    pub undecided: usize,
    /// Answers of coordinators that said that they were complete, and were checked.
    pub complete: u64,
    /// Those that said that they were not.
    pub incomplete: u64,
    /// Posts that feeds showed.
    pub shown: u64,
    /// What the nemesis did, by kind.
    pub faults: Faults,
    /// Processes that ended because their disk was full.
    pub ended_full: u64,
    /// Replicas that went from one host to another.
    pub moves: u64,
    /// Hosts that were emptied.
    pub drains: u64,
    /// Operations that were taken back.
    pub cancelled: u64,
    /// Operations that were not possible, or not in time.
    pub failed: u64,
    /// Repairs that the cluster began by itself.
    pub repairs: u64,
    /// Replicas that went on from a snapshot.
    pub snapshots: u64,
    /// Those of them on a host that had lost its disk, its stores or a file.
    pub rebuilt: u64,
    /// What is broken; empty = the run passed.
    pub violations: Vec<String>,
}

/// Address of a host.
pub(crate) fn address(host: u64) -> String {
    format!("10.1.0.{host}")
}

/// The whole cluster's configuration: small files, so that a short run rolls them over.
pub(crate) fn config() -> Config {
    let mut config = Config::default();
    config.cluster.shards = 2;
    config.embedding.dim = CLASSES;
    config.retention.window = None;
    config.storage.checkpoint_interval = Duration::from_secs(3);
    config.storage.verify_interval = Some(Duration::from_secs(5));
    config.storage.scrub_interval = Duration::from_secs(4);
    config.operations.max_down = Some(Duration::from_secs(8));
    config.operations.move_limit = Duration::from_secs(20);
    config.raft.keep_entries = 50;
    // About a second: whoever is away for longer comes back by snapshot.
    config.raft.max_lag = ByteSize::new(32 << 10);
    config.raft.snapshot_lease = Duration::from_secs(5);
    // Transfers take a second or so: faults meet them.
    config.raft.snapshot_rate = ByteSize::new(16 << 10);
    config.nodes = (1..=HOSTS)
        .map(|host| NodeConfig {
            joined: host == JOINS,
            id: NodeId(host),
            listen: Address::parse(&format!("{}:7000", address(host))).expect("a valid address"),
            zone: String::new(),
            meta: false,
        })
        .collect();
    config
}

/// The configuration as it is on a host.
pub(crate) fn config_on(host: u64) -> Config {
    let mut config = config();
    config.nodes.retain(|node| !node.joined || node.id == NodeId(host));
    config
}

/// Runs one seed.
pub fn run(plan: Plan) -> Outcome {
    panics::record();
    let history = Shared::default();
    let mut world = turmoil::Builder::new();
    world
        .rng_seed(plan.seed)
        .tick_duration(TICK)
        .simulation_duration(plan.faults_for + SETTLE * 8)
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(20))
        .tcp_capacity(SEGMENTS)
        .fs()
        .block_size(SECTOR);
    let mut sim = world.build();
    let hosts = populate(&mut sim, plan, &history);
    let rng = SmallRng::seed_from_u64(plan.seed ^ 0x006e_656d_6573_6973);
    let mut nemesis = Nemesis::new(rng, plan.faults_for, hosts);
    let ended = loop {
        nemesis.step(&mut sim);
        match sim.step() {
            Ok(false) => {}
            Ok(true) => break Ok(()),
            Err(error) => break Err(format!("the run did not end: {}", chain(&*error))),
        }
        if !history.lock().violations.is_empty() || panics::count() > 0 {
            break Ok(());
        }
    };
    let panics = panics::take().into_iter().map(|panic| format!("panic: {panic}"));
    drop(sim);
    let mut history = history.lock();
    history.violations.extend(ended.err().into_iter().chain(panics));
    let undecided = invariants::linearizable(&mut history);
    Outcome {
        seed: plan.seed,
        trace_hash: history.trace_hash(),
        applied: history.applied,
        acknowledged: history.told.len(),
        followed: history.followed,
        shared: history.shared_posts.values().map(Vec::len).sum(),
        undecided,
        complete: history.complete,
        incomplete: history.incomplete,
        shown: history.shown,
        faults: nemesis.faults().clone(),
        ended_full: history.ended_full,
        moves: history.moves,
        drains: history.drains,
        cancelled: history.cancelled,
        failed: history.failed,
        repairs: history.repairs,
        snapshots: history.snapshots,
        rebuilt: history.rebuilt,
        violations: std::mem::take(&mut history.violations),
    }
}

/// An error with all that caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The hosts, the writers and who verifies in the end. Returns what can be done to each host.
fn populate(sim: &mut turmoil::Sim<'_>, plan: Plan, history: &Shared) -> Vec<HostWorld> {
    let processes: Vec<Process> = (1..=HOSTS).map(|_| Process::default()).collect();
    let neighbours = Neighbours::new((1..=HOSTS).map(address).zip(processes.iter().cloned()));
    let world = move |host| HostWorld {
        seed: plan.seed,
        host,
        fault: plan.defect,
        neighbours: neighbours.clone(),
        ..HostWorld::default()
    };
    let of_host = |(host, process)| HostWorld {
        room: Room::free(ROOMY),
        process,
        ..world(host)
    };
    let hosts: Vec<HostWorld> = (1..=HOSTS).zip(processes).map(of_host).collect();
    for of_host in hosts.iter().cloned() {
        let (history, starts) = (history.clone(), AtomicU64::new(0));
        sim.host(address(of_host.host).as_str(), move || {
            let world = HostWorld {
                incarnation: starts.fetch_add(1, Ordering::Relaxed),
                ..of_host.clone()
            };
            live(world, history.clone())
        });
    }
    for writer in 1..=WRITERS {
        let writing = client::write(world(100 + writer), writer, plan.faults_for, history.clone());
        sim.client(format!("10.2.0.{writer}").as_str(), writing);
    }
    for sharer in 1..=SHARERS {
        let sharing = sharers::share(world(120 + sharer), plan.faults_for, history.clone());
        sim.client(format!("10.5.0.{sharer}").as_str(), sharing);
    }
    for coordinator in 1..=COORDINATORS {
        let coordinating = coordinators::coordinate(world(130 + coordinator), plan.faults_for, history.clone());
        sim.client(format!("10.6.0.{coordinator}").as_str(), coordinating);
    }
    for operator in 1..=OPERATORS {
        let operating = operators::operate(world(150 + operator), operator, plan.faults_for, history.clone());
        sim.client(format!("10.4.0.{operator}").as_str(), operating);
    }
    let verifying = verify::verify(world(200), plan.faults_for + SETTLE, history.clone());
    sim.client("10.3.0.1", verifying);
    hosts
}

/// One life of a host, up to the end of its process. It may end for want of room, and only then.
async fn live(world: HostWorld, history: Shared) -> turmoil::Result {
    let refused = world.room.refused();
    let serving = Box::pin(serve(world.clone(), history.clone()));
    let end = world.process.run(serving).await;
    let found_no_room = world.room.refused() > refused;
    match end {
        End::Returned(Err(_)) | End::Panicked if found_no_room => {
            panics::take();
            history.lock().ended_full += 1;
        }
        End::Returned(end) => return end,
        End::Panicked | End::Killed => {}
    }
    std::future::pending().await
}

/// What runs on a host: from start, or restart, to the crash.
pub(crate) async fn serve(world: HostWorld, history: Shared) -> turmoil::Result {
    let (env, config, id) = (env(&world), config_on(world.host), NodeId(world.host));
    let dir = Path::new("/data");
    let loss = world.loss.take();
    let mut lost = loss.map_or(Ok(false), |loss| loss.of_files(&*env.disk, dir))?;
    env.disk.create_dir_all(dir)?;
    let options = WalOptions {
        segment_bytes: 256 << 10,
        ..WalOptions::new(config.cluster.id(), id)
    };
    let (wal, recovered) = Wal::open(env.disk.clone(), &dir.join("wal"), options)?;
    let in_log = recovered.groups.keys().map(|group| ReplicaId(group.0)).collect();
    invariants::log_forgets_nobody(&mut history.lock(), id, &in_log, loss == Some(Loss::Disk));
    let kv = Arc::new(JournalKv::open(env.disk.clone(), &dir.join("kv"))?);
    lost |= loss.map_or(Ok(false), |loss| loss.of_records(&*kv))?;
    let parts = NodeParts {
        env,
        config,
        id,
        dir: dir.to_owned(),
        log: Box::new(wal),
        recovered,
        kv,
        threads: Threads::Here,
        backend: Backend::ExactScan,
        observer: Some(Arc::new(Witness {
            node: id,
            history,
            lost,
        })),
        start: StartReport::default(),
    };
    let _node = Node::start(parts).await?;
    std::future::pending().await
}

#[cfg(test)]
#[path = "cluster_test.rs"]
mod tests;
