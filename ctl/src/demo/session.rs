//! One demo, step by step.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use covey_api::v1::{GetFeedReply, StatusReply};
use covey_telemetry::receiver::OtlpReceiver;

use super::fill::fill;
use super::input::{Cast, Wish, cast};
use super::measure;
use super::place::{Choice, Holding, NODES, Place, Ports};
use super::processes::{Processes, sibling};
use super::report::Report;
use crate::args::ClusterArgs;
use crate::client::Client;
use crate::commands::{Context, Outcome, fetch_status, now_ms};
use crate::load::LoadOptions;
use crate::progress::Spinner;
use crate::render::text::{self, Style, count};
use crate::render::{cards, status};

/// Time for all processes to answer and all shards to have leaders; a large world is read back first.
const READY: Duration = Duration::from_secs(180);
/// Time for the indexes after a load.
const INDEXED: Duration = Duration::from_secs(600);
/// A world whose present is longer ago is loaded again with today's.
const STALE_MS: u64 = 12 * 3_600_000;
/// Share of the rows that an index should answer.
pub(super) const WANTED_SHARE: f64 = 0.8;
/// Looks without any change after which nothing more will be built: the last rows of a shard are no segment yet.
const QUIET: u32 = 20;
/// Time between two looks.
const AGAIN: Duration = Duration::from_millis(300);
/// How often it asks again for a feed that is not complete.
const FEED_ATTEMPTS: u32 = 10;

/// A demo under way.
pub(super) struct Session {
    style: Style,
    wish: Wish,
    place: Place,
    ports: Ports,
    /// Keeps the spans, unless they go elsewhere.
    receiver: Option<OtlpReceiver>,
    client: Option<Client>,
    pub(super) cast: Cast,
}

/// What the load left to report.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Loaded {
    pub(super) ingest_per_s: f64,
}

/// The feed that was shown.
pub(super) struct Shown {
    pub(super) feed: GetFeedReply,
}

impl Session {
    /// Chooses the ports, writes the configuration, opens the trace receiver. With `again`, feeds may show what they have just shown.
    pub(super) fn prepare(context: &Context, dir: &Path, args: &ClusterArgs, again: bool) -> Result<Session> {
        let wish = match &args.data {
            Some(path) => Wish::File(path.canonicalize().unwrap_or_else(|_| path.clone())),
            None => Wish::World(args.size.clone()),
        };
        let place = Place::open(dir, args.fresh)?;
        place.holding(&wish.name())?;
        let ports = Ports::free()?;
        let (receiver, otlp) = match &args.otlp {
            Some(url) => (None, url.clone()),
            None => {
                let (receiver, address) = OtlpReceiver::bind("127.0.0.1:0")?;
                (Some(receiver), format!("http://{address}"))
            }
        };
        let choice = Choice {
            otlp,
            posts: wish.posts(),
            any_age: wish.any_age(),
            again,
        };
        place.write_config(&ports, &choice)?;
        Ok(Session {
            style: context.style,
            wish,
            place,
            ports,
            receiver,
            client: None,
            cast: Cast::default(),
        })
    }

    /// Starts the nodes, then the coordinator.
    pub(super) fn start(&self, processes: &mut Processes) -> Result<()> {
        let (node, coordinator) = (sibling("covey-node")?, sibling("covey-coordinator")?);
        let config = self.place.config().display().to_string();
        for id in 1..=NODES {
            self.start_node(id, &node, processes)?;
        }
        let args = [
            "--config".to_owned(),
            config,
            "--http".to_owned(),
            format!("127.0.0.1:{}", self.ports.http),
            "--grpc".to_owned(),
            format!("127.0.0.1:{}", self.ports.grpc),
        ];
        processes.start("coordinator", &coordinator, &args, &self.log("coordinator"))
    }

    fn start_node(&self, id: usize, program: &Path, processes: &mut Processes) -> Result<()> {
        let config = self.place.config().display().to_string();
        let args = ["--config".to_owned(), config, "--node".to_owned(), id.to_string()];
        processes.start(&format!("node {id}"), program, &args, &self.log(&format!("node-{id}")))
    }

    /// Stops one node and starts it again; returns the time from its start until the cluster is whole.
    pub(super) async fn restart_node(&mut self, processes: &mut Processes) -> Result<Duration> {
        processes.stop_one("node 1").await;
        let started = Instant::now();
        self.start_node(1, &sibling("covey-node")?, processes)?;
        self.wait_until_ready(processes).await?;
        Ok(started.elapsed())
    }

    fn log(&self, name: &str) -> PathBuf {
        self.place.logs().join(format!("{name}.log"))
    }

    fn server(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.grpc)
    }

    pub(super) fn client(&self) -> &Client {
        self.client
            .as_ref()
            .expect("the steps after readiness have a connection")
    }

    /// Until every shard has a leader and all its replicas.
    pub(super) async fn wait_until_ready(&mut self, processes: &mut Processes) -> Result<()> {
        let spinner = Spinner::start("waiting for three nodes and a coordinator");
        let started = Instant::now();
        loop {
            processes.all_alive()?;
            let last = match self.look().await {
                Ok(status) if status.healthy => break,
                Ok(status) => progress_of(&status),
                Err(error) => error.to_string(),
            };
            spinner.note(&last);
            if started.elapsed() > READY {
                bail!(
                    "the cluster is not ready after {} s: {last}; logs are in {}",
                    READY.as_secs(),
                    self.place.logs().display()
                );
            }
            tokio::time::sleep(AGAIN).await;
        }
        spinner.done(started.elapsed());
        Ok(())
    }

    async fn look(&mut self) -> Result<StatusReply> {
        let client = match &self.client {
            Some(client) => client.clone(),
            None => Client::connect(&self.server()).await?,
        };
        self.client = Some(client.clone());
        Ok(fetch_status(&client).await?)
    }

    /// Loads, goes on with an interrupted load, or finds that all is there.
    pub(super) async fn load(&mut self, processes: &mut Processes) -> Result<Loaded> {
        let now = now_ms();
        let name = self.wish.name();
        let found = self.place.holding(&name)?;
        let fresh_enough = |holding: &Holding| self.wish.any_age() || now.saturating_sub(holding.until_ms) < STALE_MS;
        let holding = match found {
            Some(holding) if fresh_enough(&holding) => holding,
            _ => Holding::wished(name, now),
        };
        let format = self.wish.format(holding.until_ms)?;
        let options = LoadOptions {
            rebase_to_ms: self.wish.any_age().then_some(now),
            ..LoadOptions::default()
        };
        let holding = fill(&self.place, self.client(), (holding, &format, options), processes).await?;
        self.cast = tokio::task::spawn_blocking(move || cast(&format)).await??;
        Ok(Loaded {
            ingest_per_s: holding.ingest_per_s,
        })
    }

    /// Until most rows are answered by an index and nothing is being built.
    pub(super) async fn wait_for_indexes(&mut self, processes: &mut Processes) -> Result<()> {
        let spinner = Spinner::start("building the indexes");
        let started = Instant::now();
        let (mut last, mut quiet) = (0.0, 0);
        while quiet < QUIET {
            processes.all_alive()?;
            if started.elapsed() > INDEXED {
                bail!("indexes are still being built after {} s", INDEXED.as_secs());
            }
            let state = self.look().await?;
            let share = status::indexed_share(&state);
            spinner.note(&format!("{:.0} % of the vectors indexed", share * 100.0));
            let outbox: u64 = state
                .nodes
                .iter()
                .flat_map(|node| &node.replicas)
                .map(|replica| replica.outbox)
                .sum();
            let idle = !status::building(&state) && outbox == 0;
            if idle && share >= WANTED_SHARE {
                break;
            }
            quiet = if idle && share == last { quiet + 1 } else { 0 };
            last = share;
            tokio::time::sleep(AGAIN).await;
        }
        spinner.done(started.elapsed());
        Ok(())
    }

    /// A feed, with explanations if wanted, and its time in milliseconds. Just after loading, on a busy machine, some shards may be
    /// late: then it asks again, so that only a lasting lack is left.
    pub(super) async fn patient_feed(&self, viewer: u64, explain: bool) -> Result<(GetFeedReply, f64)> {
        let mut last = measure::feed(self.client(), viewer, explain).await?;
        for _ in 0..FEED_ATTEMPTS {
            if measure::is_whole(&last.0) {
                break;
            }
            tokio::time::sleep(AGAIN).await;
            last = measure::feed(self.client(), viewer, explain).await?;
        }
        Ok(last)
    }

    /// Asks for the feed of the demo's viewer and prints it, unless only JSON is wanted.
    pub(super) async fn show_feed(&self, viewer: Option<u64>, json: bool) -> Result<Shown> {
        let viewer = viewer.unwrap_or(self.cast.viewers[0]);
        let (feed, took_ms) = self.patient_feed(viewer, true).await?;
        if !json {
            text::print(&("\n".to_owned() + &cards::feed(&feed, viewer, took_ms, now_ms(), self.style)))?;
        }
        Ok(Shown { feed })
    }

    /// The figures of `--once`.
    pub(super) async fn measure(&mut self, shown: Shown, loaded: Loaded) -> Result<Report> {
        let spinner = Spinner::start("measuring");
        let started = Instant::now();
        let client = self.client().clone();
        spinner.note("latency of 200 feeds");
        let latency = measure::latency(&client, &self.cast.viewers).await?;
        spinner.note("recall of 200 queries against exact search");
        let recall = measure::recall(&client, &self.cast.queries).await?;
        spinner.note("the trace of the feed");
        let answer = shown.feed.answer.clone().unwrap_or_default();
        let trace = match &self.receiver {
            Some(receiver) => measure::trace(receiver, &answer.trace_id).await,
            None => measure::TraceSize::default(),
        };
        let state = self.look().await?;
        spinner.done(started.elapsed());
        Ok(Report {
            nodes: state.nodes.iter().filter(|node| node.reachable).count(),
            shards: state.shards.len(),
            posts: state.posts,
            ingest_per_s: loaded.ingest_per_s.round(),
            feed_posts: shown.feed.posts.len(),
            coverage: answer.coverage,
            recall_at_10: recall,
            ivf_rows_share: status::indexed_share(&state),
            p50_ms: latency.p50_ms,
            p99_ms: latency.p99_ms,
            spans_in_trace: trace.spans,
            services_in_trace: trace.services,
            complete: state.healthy,
        })
    }

    /// Says where everything is, then tells of processes that end, until Ctrl-C.
    pub(super) async fn stay(&mut self, processes: &mut Processes) -> Result<Outcome> {
        let state = self.look().await?;
        text::print(&self.directions(&state, processes))?;
        loop {
            if let Some(obituary) = processes.newly_dead()? {
                eprintln!("{obituary}\nThe others go on: try `covey feed` again.");
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    fn directions(&self, state: &StatusReply, processes: &Processes) -> String {
        let viewer = self.cast.viewers[0];
        let usual = self.server() == crate::client::DEFAULT_SERVER;
        let server = if usual {
            String::new()
        } else {
            format!(" --server {}", self.server())
        };
        let covey = this_program();
        let pids: Vec<String> = processes
            .roll()
            .iter()
            .map(|(name, pid)| format!("{name} = {pid}"))
            .collect();
        format!(
            "\n{}\n  JSON over HTTP   curl -s http://127.0.0.1:{}/v1/feed -d '{{\"viewer_id\": {viewer}}}'\n  gRPC             127.0.0.1:{}\n  \
             configuration    {}\n  logs             {}\n  processes        {}\n\n  \
             {covey} feed --viewer {viewer} --explain{server}\n  {covey} search --text \"sourdough bread\"{server}\n  {covey} status{server}\n\n\
             {} posts on {} nodes. Kill a node and ask again: the feed stays complete. Ctrl-C stops everything.\n",
            self.style.bold("The cluster is up."),
            self.ports.http,
            self.ports.grpc,
            self.place.config().display(),
            self.place.logs().display(),
            pids.join(", "),
            count(state.posts),
            state.nodes.len(),
        )
    }
}

/// How to call this program from the working directory: `./dev` puts it on nobody's path.
fn this_program() -> String {
    let here = std::env::current_dir().unwrap_or_default();
    std::env::current_exe().map_or("covey".to_owned(), |path| {
        path.strip_prefix(&here).unwrap_or(&path).display().to_string()
    })
}

/// "5 of 8 shards have a leader".
fn progress_of(status: &StatusReply) -> String {
    let led = status.shards.iter().filter(|shard| shard.leader != 0).count();
    let problem = status
        .problems
        .first()
        .map_or(String::new(), |problem| format!("; {problem}"));
    format!("{led} of {} shards have a leader{problem}", status.shards.len())
}
