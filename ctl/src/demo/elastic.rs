//! `covey bench elastic`: replicas move, nodes are emptied, filled, restarted, killed and stopped; what do clients notice?

mod figures;
mod lost;
mod operator;
mod report;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use covey_api::v1::start_operation_request::What;
use covey_api::v1::{AddNode, DrainNode};
use rustix::process::Signal;

use super::fill::fill_with_world;
use super::place::Place;
use super::processes::Processes;
use super::rig::{Rig, Shape, node_name};
use super::traffic::{Demand, Event, Rates, Traffic};
use crate::args::{ElasticArgs, OutputFormat};
use crate::client::Client;
use crate::commands::{Context, Outcome};
use crate::progress::Spinner;
use crate::render::text;
use figures::{Measured, Quiet, Silence, Window};
use operator::{Operator, busiest, one_move, replicas_on};
use report::Report;

/// Posts stay however old they are.
const SETTINGS: &str = "[retention]\nwindow = \"off\"\n\n[feed]\nmax_post_age = \"off\"\n";
/// Traffic before the quiet phase.
const WARM_UP: Duration = Duration::from_secs(5);
/// What is measured behind the end of an operation.
const TAIL: Duration = Duration::from_secs(2);
/// Between two operations, once the cluster is healthy.
const REST: Duration = Duration::from_secs(3);
/// Leaders that are killed, one after another.
const KILLS: usize = 3;
/// How long a killed node is away: longer than a new leader may take.
const AWAY: Duration = Duration::from_secs(6);
/// How long a node is stopped.
const STOPPED: Duration = Duration::from_secs(8);

/// The cluster under its traffic.
struct Stage<'a> {
    rig: Rig,
    operator: Operator,
    traffic: Traffic,
    processes: &'a mut Processes,
    windows: Vec<Window>,
}

/// 1. starts and loads, 2. begins the traffic, 3. measures it quietly, 4. measures each operation, 5. ends the traffic, 6. looks for
///    every post that was acknowledged.
pub(super) async fn run(context: &Context, args: &ElasticArgs, processes: &mut Processes) -> Result<Outcome> {
    if args.nodes <= args.replication {
        bail!("--nodes must be more than --replication: a replica needs somewhere to go");
    }
    let rig = Rig::shaped(Place::open_new(&args.dir, args.fresh)?, shape(args), SETTINGS)?;
    let client = rig.up(processes).await?;
    let (world, ingest_per_s) = fill_with_world(("elastic", args.posts), &rig, &client, processes).await?;
    let demand = Demand::of(&client, &world, rates(args)).await?;
    let mut stage = Stage {
        rig,
        operator: Operator::new(client.clone(), context.by.clone()),
        traffic: Traffic::start(demand),
        processes,
        windows: Vec::new(),
    };
    let quiet = stage.quiet(Duration::from_secs(args.seconds)).await?;
    // What was measured before something went wrong is shown all the same.
    let ended = stage.operations().await;
    let (windows, events) = (stage.windows, stage.traffic.finish().await?);
    let lost = lost(&client, &events).await?;
    let report = report(args, ingest_per_s, (quiet, &windows), (&events, &lost));
    show(context, args, &report)?;
    ended?;
    Ok(Outcome::good(report.is_good()))
}

fn shape(args: &ElasticArgs) -> Shape {
    Shape {
        nodes: args.nodes.into(),
        shards: args.shards,
        replication: args.replication.into(),
    }
}

async fn lost(client: &Client, events: &[Event]) -> Result<BTreeSet<u64>> {
    let (spinner, started) = (Spinner::start("looking for every acknowledged post"), Instant::now());
    let lost = lost::of(client, figures::acknowledged(events)).await?;
    spinner.done(started.elapsed());
    Ok(lost)
}

fn report(
    args: &ElasticArgs,
    ingest_per_s: f64,
    (quiet, windows): ((Duration, Duration), &[Window]),
    (events, lost): (&[Event], &BTreeSet<u64>),
) -> Report {
    let quiet = Quiet::of(events, quiet);
    let measured = windows.iter().map(|window| Measured::of(window, events, &quiet, lost));
    Report {
        shape: shape(args),
        posts: args.posts,
        ingest_per_s,
        rates: rates(args),
        quiet,
        acknowledged: figures::acknowledged(events).len() as u64,
        lost: lost.len() as u64,
        measured: measured.collect(),
    }
}

fn show(context: &Context, args: &ElasticArgs, report: &Report) -> Result<()> {
    for fault in report.faults() {
        eprintln!("  {fault}");
    }
    if args.json || context.format == OutputFormat::Json {
        text::print(&(serde_json::to_string(&report.measured)? + "\n"))?;
        return Ok(());
    }
    Ok(text::print(&report.human(context.style))?)
}

fn rates(args: &ElasticArgs) -> Rates {
    Rates {
        searches: args.rate,
        feeds: args.feeds,
        posts: args.ingest,
    }
}

impl Stage<'_> {
    /// The phase that the others are compared with.
    async fn quiet(&mut self, time: Duration) -> Result<(Duration, Duration)> {
        let (spinner, started) = (Spinner::start("traffic without operations"), Instant::now());
        tokio::time::sleep(WARM_UP).await;
        let from = self.traffic.elapsed();
        tokio::time::sleep(time).await;
        self.processes.all_alive()?;
        spinner.done(started.elapsed());
        Ok((from, self.traffic.elapsed()))
    }

    async fn operations(&mut self) -> Result<()> {
        self.move_one().await?;
        self.drain_and_add().await?;
        self.rolling_restart().await?;
        self.kill_leaders().await?;
        self.stop_one().await
    }

    /// A measurement from here on.
    fn begin(&self, op: &'static str) -> Window {
        eprintln!("▸ {op}");
        Window {
            op,
            from: self.traffic.elapsed(),
            ..Window::default()
        }
    }

    /// Its end, and a cluster in full health behind it.
    async fn end(&mut self, mut window: Window) -> Result<()> {
        if window.seconds == 0.0 {
            window.seconds = (self.traffic.elapsed() - window.from).as_secs_f64();
        }
        tokio::time::sleep(TAIL).await;
        window.to = self.traffic.elapsed();
        self.windows.push(window);
        self.rig.healthy(self.processes).await?;
        tokio::time::sleep(REST).await;
        Ok(())
    }

    /// The replica that leads the first shard, as that is the hardest to move.
    async fn move_one(&mut self) -> Result<()> {
        let wanted = one_move(&self.operator.view().await?).context("no shard has a leader and room for a move")?;
        let mut window = self.begin("move");
        let ended = self.operator.run(What::Move(wanted), self.processes).await?;
        (window.seconds, window.eta_error) = (ended.seconds(), ended.eta_error());
        self.end(window).await
    }

    /// The node that leads most is emptied, then gets its share again.
    async fn drain_and_add(&mut self) -> Result<()> {
        let view = self.operator.view().await?;
        let (node, _) = busiest(&view).context("no node leads a shard")?;
        let mut window = self.begin("drain");
        let drain = What::Drain(DrainNode { node });
        let ended = self.operator.run(drain, self.processes).await?;
        (window.seconds, window.eta_error) = (ended.seconds(), ended.eta_error());
        self.end(window).await?;
        let mut window = self.begin("add");
        self.operator.undrain(node).await?;
        let ended = self.operator.run(What::Add(AddNode { node }), self.processes).await?;
        if replicas_on(&self.operator.view().await?, node) == 0 {
            bail!("node {node} was emptied, and got nothing back");
        }
        (window.seconds, window.eta_error) = (ended.seconds(), ended.eta_error());
        self.end(window).await
    }

    async fn rolling_restart(&mut self) -> Result<()> {
        let nodes = self.operator.view().await?.nodes;
        let window = self.begin("rolling_restart");
        for node in nodes {
            self.processes.stop_one(&node_name(node.node)).await;
            self.rig.start_node(node.node, self.processes)?;
            self.rig.healthy(self.processes).await?;
        }
        self.end(window).await
    }

    async fn kill_leaders(&mut self) -> Result<()> {
        let mut window = self.begin("kill_leader");
        for _ in 0..KILLS {
            let view = self.operator.view().await?;
            let (node, shards) = busiest(&view).context("no node leads a shard")?;
            let from = self.traffic.elapsed();
            self.processes.kill_one(&node_name(node)).await;
            tokio::time::sleep(AWAY).await;
            let to = self.traffic.elapsed();
            let silences = shards.into_iter().map(|shard| Silence { shard, from, to });
            window.silences.extend(silences);
            self.rig.start_node(node, self.processes)?;
            self.rig.healthy(self.processes).await?;
        }
        self.end(window).await
    }

    /// The node that leads most does nothing for a while, and does not know it.
    async fn stop_one(&mut self) -> Result<()> {
        let view = self.operator.view().await?;
        let (node, _) = busiest(&view).context("no node leads a shard")?;
        let window = self.begin("sigstop");
        self.processes.signal(&node_name(node), Signal::STOP)?;
        tokio::time::sleep(STOPPED).await;
        self.processes.signal(&node_name(node), Signal::CONT)?;
        self.rig.healthy(self.processes).await?;
        self.end(window).await
    }
}
