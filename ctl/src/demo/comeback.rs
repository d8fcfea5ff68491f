//! `covey bench comeback`: a replica that is far behind, and one whose disk is empty, come back by snapshot under load.

mod figures;
mod transfer;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use covey_api::v1::{CheckShardsRequest, ReplicaRole, ReplicaStatus, StatusReply};
use tokio::task::JoinHandle;

use super::fill::fill;
use super::place::{Holding, Place};
use super::processes::Processes;
use super::rig::{Rig, settled};
use super::searches::{Searcher, Searches, texts};
use super::stream::Stream;
use crate::args::{ComebackArgs, WorldSize};
use crate::client::{Client, METADATA, refused};
use crate::commands::{Context, Outcome, build_world, fetch_status, now_ms};
use crate::load::{Format, LoadOptions};
use crate::progress::Spinner;
use crate::render::status::of_shards;
use crate::render::text::bytes;
use crate::world::World;
use figures::{Figures, Return};
use transfer::{Kept, Transfer};

/// Nodes, each with a replica; the last one is the one that goes.
const NODES: usize = 3;
const NAME: &str = "node 3";
/// Shares of the snapshot at which the node that was far behind is killed.
const KILLS: [f64; 3] = [0.2, 0.45, 0.7];
/// Requests of the load under way at once: with few posts in each, many wait for the same sync of the log.
const CONCURRENCY: usize = 64;
/// Searches and writes before those that count.
const WARM_UP: Duration = Duration::from_secs(5);
/// Of the searches that the others are compared with.
const QUIET: Duration = Duration::from_secs(20);
/// Time for a replica to be whole.
const WHOLE: Duration = Duration::from_secs(1800);
/// Time between two looks.
const AGAIN: Duration = Duration::from_millis(50);
/// Time for the comparison of all replicas.
const CHECK: Duration = Duration::from_secs(300);
/// Different texts to search for.
const TEXTS: u64 = 2_000;
/// Bytes per second for each post, at which a snapshot of any size takes long enough to be killed in the middle, …
const RATE_PER_POST: u64 = 64;
/// … but from … to the default of `raft.snapshot_rate`.
const RATE: (u64, u64) = (64 << 10, 50 << 20);

/// The cluster under its load.
struct Stage {
    rig: Rig,
    client: Client,
    /// Data of the node that goes.
    node: PathBuf,
    searcher: Arc<Searcher>,
    stream: Arc<Stream>,
}

pub(super) async fn run(context: &Context, args: &ComebackArgs, processes: &mut Processes) -> Result<Outcome> {
    let place = Place::open_new(&args.dir, args.fresh)?;
    let node = place.data().join(format!("node-{NODES}"));
    let snapshot_rate = (args.posts * RATE_PER_POST).clamp(RATE.0, RATE.1);
    let rig = Rig::prepare(place, NODES, &settings(args.batch, snapshot_rate))?;
    let client = rig.up(processes).await?;
    let left_at = replica(&fetch_status(&client).await?, is_mine).map_or(0, |replica| replica.applied);
    processes.stop_one(NAME).await;
    let world = world(args)?;
    let step = (args.posts / TEXTS).max(1);
    let ingest_per_s = load(&rig, &client, args, processes).await?;
    let stage = Stage {
        searcher: Arc::new(Searcher {
            client: client.clone(),
            texts: Arc::new(texts(&world, (0..TEXTS).map(|number| number * step % args.posts))?),
            per_s: args.rate,
        }),
        // What it writes comes after what was loaded.
        stream: Stream::new(client.clone(), world, args.posts, args.ingest),
        rig,
        client,
        node,
    };
    let posts = leader(&fetch_status(&stage.client).await?)?.posts;
    let writer = tokio::spawn(stage.stream.clone().run());
    let (quiet, behind) = (stage.quiet().await?, leader(&fetch_status(&stage.client).await?)?);
    let returns = vec![
        stage.far_behind(&quiet, processes).await?,
        stage.emptied(&quiet, processes).await?,
    ];
    writer.abort();
    // It ends with an error, as it was aborted.
    _ = writer.await;
    stage.stream.drain().await;
    let (replicas, equal) = stage.compare().await?;
    let figures = Figures {
        posts,
        posts_per_entry: args.batch,
        ingest_per_s,
        posts_behind: behind.posts,
        entries_behind: behind.applied.saturating_sub(left_at),
        entries_gone: behind.first_index.saturating_sub(left_at + 1),
        snapshot_rate,
        searches_per_s: args.rate,
        writes_per_s: args.ingest,
        quiet,
        returns,
        accepted: stage.stream.counts.accepted.load(Ordering::Relaxed),
        refused: stage.stream.counts.refused.load(Ordering::Relaxed),
        replicas,
        equal,
    };
    context.show(&figures, || figures.human(context.style))?;
    Ok(Outcome::good(figures.faults().is_empty()))
}

/// Posts stay however old they are, and little of the log is kept for who is away.
fn settings(batch: u16, snapshot_rate: u64) -> String {
    format!(
        // The first key is one of the coordinator.
        "ingest_batch = {batch}\n\n\
         [retention]\nwindow = \"off\"\n\n[feed]\nmax_post_age = \"off\"\n\n\
         [raft]\nwal_segment = \"4MiB\"\nmax_lag = \"8MiB\"\nkeep_entries = 1000\nsnapshot_rate = \"{snapshot_rate}B\"\n\n\
         [storage]\ncheckpoint_interval = \"5s\"\n"
    )
}

/// What is loaded is its beginning.
fn world(args: &ComebackArgs) -> Result<Arc<World>> {
    let size = WorldSize {
        posts: 1_000_000_000,
        ..loaded(args)
    };
    Ok(build_world(&size)?)
}

fn loaded(args: &ComebackArgs) -> WorldSize {
    WorldSize {
        users: (args.posts / 50).max(20),
        posts: args.posts,
        sessions: Some(0),
        seed: 1,
        hours: 48,
        until: None,
    }
}

/// Posts per second.
async fn load(rig: &Rig, client: &Client, args: &ComebackArgs, processes: &mut Processes) -> Result<f64> {
    let options = LoadOptions {
        batch: args.batch.into(),
        concurrency: CONCURRENCY,
        patience: Duration::from_secs(600),
        ..LoadOptions::default()
    };
    let wish = format!("comeback: {} posts", args.posts);
    let format = Format::World(build_world(&loaded(args))?);
    let holding = (Holding::wished(wish, now_ms()), &format, options);
    let holding = fill(&rig.place, client, holding, processes).await?;
    settled(client, processes).await?;
    Ok(holding.ingest_per_s)
}

fn is_mine(replica: &ReplicaStatus) -> bool {
    replica.node == NODES as u64
}

fn replica(state: &StatusReply, which: fn(&ReplicaStatus) -> bool) -> Option<&ReplicaStatus> {
    let mut replicas = state.nodes.iter().flat_map(of_shards);
    replicas.find(|replica| which(replica))
}

fn leader(state: &StatusReply) -> Result<ReplicaStatus> {
    let leads = |replica: &ReplicaStatus| replica.role() == ReplicaRole::Leader;
    replica(state, leads).cloned().context("the shard has no leader")
}

/// Searches until they are ended.
struct Asking {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Result<Searches>>,
}

impl Asking {
    async fn end(self) -> Result<Searches> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await?
    }
}

impl Stage {
    fn ask(&self) -> Asking {
        let (stop, searcher) = (Arc::new(AtomicBool::new(false)), self.searcher.clone());
        let told = stop.clone();
        let task = tokio::spawn(async move { searcher.ask(2 * WHOLE, told).await });
        Asking { stop, task }
    }

    async fn quiet(&self) -> Result<Searches> {
        let (spinner, started) = (Spinner::start("searches and writes without node 3"), Instant::now());
        self.searcher.ask(WARM_UP, Arc::default()).await?;
        let quiet = self.searcher.ask(QUIET, Arc::default()).await?;
        spinner.done(started.elapsed());
        Ok(quiet)
    }

    async fn far_behind(&self, quiet: &Searches, processes: &mut Processes) -> Result<Return> {
        let asking = self.ask();
        self.comes_back("far behind", (asking, quiet), &KILLS, processes).await
    }

    async fn emptied(&self, quiet: &Searches, processes: &mut Processes) -> Result<Return> {
        let asking = self.ask();
        processes.kill_one(NAME).await;
        std::fs::remove_dir_all(&self.node).with_context(|| format!("cannot remove {}", self.node.display()))?;
        self.comes_back("emptied disk", (asking, quiet), &[], processes).await
    }

    /// Starts the node, kills it at the shares of the snapshot that `kills` says, and waits until it is whole.
    async fn comes_back(
        &self,
        after: &'static str,
        (asking, quiet): (Asking, &Searches),
        kills: &[f64],
        processes: &mut Processes,
    ) -> Result<Return> {
        let spinner = Spinner::start(&format!("node 3 comes back: {after}"));
        let (started, mut transfer) = (Instant::now(), Transfer::default());
        let written = self.stream.counts.accepted.load(Ordering::Relaxed);
        self.rig.start_node(NODES as u64, processes)?;
        // Index that the replica must have applied to be called whole: committed at the look before.
        let mut goal = None;
        loop {
            processes.all_alive()?;
            let state = fetch_status(&self.client).await?;
            let mine = state.nodes.iter().find(|node| node.node == NODES as u64);
            let rebuild = mine.and_then(|node| node.rebuilds.iter().find(|rebuild| rebuild.shard != METADATA));
            if let Some(rebuild) = rebuild {
                transfer.see(rebuild, started.elapsed());
                let (here, all) = (bytes(rebuild.bytes), bytes(rebuild.total_bytes));
                spinner.note(&format!("{:?}, {here} of {all}", rebuild.phase()));
            }
            if transfer.is_due(kills) {
                processes.kill_one(NAME).await;
                transfer.killed(Kept::of(&self.node));
                eprintln!("  killed with {:.0} % of the snapshot", transfer.share() * 100.0);
                self.rig.start_node(NODES as u64, processes)?;
                goal = None;
                continue;
            }
            let applied = replica(&state, is_mine).map_or(0, |replica| replica.applied);
            if state.healthy && rebuild.is_none() && goal.is_some_and(|goal| applied >= goal) {
                break;
            }
            goal = leader(&state).ok().map(|leader| leader.committed);
            if started.elapsed() > WHOLE {
                bail!("node 3 is not whole after {} s: {:?}", WHOLE.as_secs(), state.problems);
            }
            tokio::time::sleep(AGAIN).await;
        }
        let whole = started.elapsed();
        spinner.done(whole);
        let (fetching, fetched) = transfer.times();
        let searches = asking.end().await?;
        Ok(Return {
            after,
            moved: transfer.moved(),
            kills_wanted: kills.len(),
            fetching_s: fetching.map(|at| at.as_secs_f64()),
            fetched_s: fetched.map(|at| at.as_secs_f64()),
            whole_s: whole.as_secs_f64(),
            written: self.stream.counts.accepted.load(Ordering::Relaxed) - written,
            p99_ratio: searches.p99_by(quiet),
            searches,
        })
    }

    /// Live posts of each replica once all have applied the same, and whether they hold the same.
    async fn compare(&self) -> Result<(Vec<u64>, bool)> {
        let (spinner, started) = (Spinner::start("the replicas are compared"), Instant::now());
        let mut request = tonic::Request::new(CheckShardsRequest {
            shards: Vec::new(),
            deadline_ms: CHECK.as_millis() as u32,
        });
        request.set_timeout(CHECK + WARM_UP);
        let checked = self.client.rpc().check_shards(request).await;
        let equal = checked.map_err(refused("shard check"))?.into_inner().equal;
        let state = fetch_status(&self.client).await?;
        spinner.done(started.elapsed());
        let replicas = state.nodes.iter().flat_map(of_shards);
        Ok((replicas.map(|replica| replica.posts).collect(), equal))
    }
}
