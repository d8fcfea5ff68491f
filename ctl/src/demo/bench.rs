//! `covey bench`: the figures of a cluster on this machine.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::Result;
use covey_api::v1::{EdgeKind, EdgeUpdate, GetFeedRequest, PutUsersRequest, UserUpdate};
use serde::Serialize;

use super::cost::{self, Cost};
use super::measure::recall;
use super::processes::Processes;
use super::rates::{self, Rate, Spread};
use super::session::Session;
use super::usage;
use crate::args::BenchArgs;
use crate::client::{Client, refused};
use crate::commands::{Context, Outcome, fetch_status};
use crate::progress::Spinner;
use crate::render::status::indexed_share;
use crate::render::text::{Style, bytes, count};

/// A user that no world has, who follows [`FOLLOWED`] others.
const READER: u64 = 1 << 60;

/// Followed authors of the in-network measurement.
const FOLLOWED: u64 = 500;

/// In-network fetches measured.
const FETCHES: usize = 100;

/// All figures.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Figures {
    nodes: usize,
    shards: usize,
    posts: u64,
    users: u64,
    ingest_per_s: f64,
    recall_at_10: f64,
    ivf_rows_share: f64,
    feeds: Vec<Rate>,
    /// As many as there are answers.
    saturated: Rate,
    /// CPU time of each process per feed at the last rate, in milliseconds.
    cpu_ms_per_feed: BTreeMap<String, f64>,
    /// Per feed, by component.
    costs: Vec<Cost>,
    /// Per feed, between the coordinator and the nodes, both ways.
    wire_bytes_per_feed: f64,
    /// In-network source of a viewer who follows 500, all shards together.
    in_network: Spread,
    /// Work of all shards for it.
    in_network_shards: Spread,
    /// Resident memory of each process.
    resident_bytes: BTreeMap<String, u64>,
    /// Resident memory of the nodes per post and replica.
    resident_bytes_per_post: f64,
    /// From the start of one node with all the data until the cluster is whole again.
    restart_s: f64,
}

/// Measures a cluster that is loaded and indexed.
pub(super) async fn run(
    context: &Context,
    args: &BenchArgs,
    session: &mut Session,
    processes: &mut Processes,
    ingest_per_s: f64,
) -> Result<Outcome> {
    let client = session.client().clone();
    let viewers = session.cast.viewers.clone();
    let spinner = Spinner::start("measuring");
    let started = Instant::now();
    // First: what a viewer has been shown is not shown again for half an hour.
    spinner.note("cost of 100 feeds");
    let costs = cost::of_feeds(&client, &viewers).await?;
    let mut feeds = Vec::new();
    let mut cpu_ms_per_feed = BTreeMap::new();
    for per_s in &args.rates {
        spinner.note(&format!("{per_s} feeds/s for {} s", args.seconds));
        let before = cpu(processes);
        let rate = rates::feeds(&client, &viewers, *per_s, Duration::from_secs(args.seconds)).await?;
        cpu_ms_per_feed = per_feed(&before, &cpu(processes), rate.asked);
        feeds.push(rate);
    }
    spinner.note("recall of 200 queries against exact search");
    let recall_at_10 = recall(&client, &session.cast.queries).await?;
    spinner.note("in-network fetches");
    let (in_network, in_network_shards) = in_network(&client, args.cluster.size.users).await?;
    let resident_bytes: BTreeMap<String, u64> = processes
        .roll()
        .into_iter()
        .filter_map(|(name, pid)| Some((name, usage::resident_bytes(pid)?)))
        .collect();
    let state = fetch_status(&client).await?;
    // Last but the restart: it leaves queues, caches and memory behind.
    spinner.note("as many feeds as there are answers");
    let saturated = rates::saturating(&client, &viewers, Duration::from_secs(args.seconds)).await?;
    spinner.note("restart of a node");
    let restart_s = session.restart_node(processes).await?.as_secs_f64();
    spinner.done(started.elapsed());
    let of_nodes: u64 = resident_bytes
        .iter()
        .filter(|(name, _)| name.starts_with("node"))
        .map(|(_, bytes)| bytes)
        .sum();
    let figures = Figures {
        nodes: state.nodes.len(),
        shards: state.shards.len(),
        posts: state.posts,
        users: args.cluster.size.users,
        ingest_per_s,
        recall_at_10,
        ivf_rows_share: indexed_share(&state),
        feeds,
        saturated,
        cpu_ms_per_feed,
        wire_bytes_per_feed: cost::wire_bytes(&costs),
        costs,
        in_network,
        in_network_shards,
        resident_bytes_per_post: of_nodes as f64 / (state.posts.max(1) * state.nodes.len().max(1) as u64) as f64,
        resident_bytes,
        restart_s,
    };
    context.show(&figures, || human(&figures, context.style))?;
    Ok(Outcome::Done)
}

pub(super) fn cpu(processes: &Processes) -> BTreeMap<String, u64> {
    processes
        .roll()
        .into_iter()
        .filter_map(|(name, pid)| Some((name, usage::cpu_ms(pid)?)))
        .collect()
}

fn per_feed(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>, feeds: u64) -> BTreeMap<String, f64> {
    let used = |(name, now): (&String, &u64)| {
        let used = now.saturating_sub(before.get(name).copied().unwrap_or(0));
        (name.clone(), used as f64 / feeds.max(1) as f64)
    };
    after.iter().map(used).collect()
}

/// Times of the in-network source for somebody who follows five hundred, and of the work of all shards for it.
async fn in_network(client: &Client, users: u64) -> Result<(Spread, Spread)> {
    let edge = |target_id| EdgeUpdate {
        kind: EdgeKind::Follow.into(),
        target_id,
        remove: false,
    };
    let reader = UserUpdate {
        user_id: READER,
        version: 1,
        edges: (1..=users.min(FOLLOWED)).map(edge).collect(),
        ..UserUpdate::default()
    };
    let request = PutUsersRequest {
        users: vec![reader],
        session_token: String::new(),
    };
    let written = client
        .rpc()
        .put_users(request)
        .await
        .map_err(refused("put"))?
        .into_inner();
    let (mut times, mut works) = (Vec::with_capacity(FETCHES), Vec::with_capacity(FETCHES));
    for _ in 0..FETCHES {
        let request = GetFeedRequest {
            viewer_id: READER,
            in_network_only: true,
            explain: true,
            session_token: written.session_token.clone(),
            ..GetFeedRequest::default()
        };
        let reply = client
            .rpc()
            .get_feed(request)
            .await
            .map_err(refused("feed"))?
            .into_inner();
        let source = reply
            .stages
            .iter()
            .find(|report| report.stage == "source" && report.component == "InNetwork");
        times.extend(source.map(|report| report.time_ms));
        works.extend(source.map(|report| report.shard_work_ms));
    }
    Ok((Spread::of(&mut times), Spread::of(&mut works)))
}

fn of_rate(rate: &Rate, how: &str) -> String {
    let mut stages: Vec<(&String, &Spread)> = rate.stages.iter().collect();
    stages.sort_by(|a, b| b.1.p50_ms.total_cmp(&a.1.p50_ms));
    let stage = |(stage, times): &(&String, &Spread)| format!("{stage} {:.1}/{:.1}", times.p50_ms, times.p99_ms);
    let stages: Vec<String> = stages.iter().map(stage).collect();
    format!(
        "{:>3} feeds/s{how}: p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms; {} asked, {} failed, {} incomplete\n\
         {:12}p50/p99 ms: {}\n",
        rate.per_s,
        rate.p50_ms,
        rate.p99_ms,
        rate.max_ms,
        rate.asked,
        rate.failed,
        rate.incomplete,
        "",
        stages.join(", ")
    )
}

fn human(figures: &Figures, style: Style) -> String {
    let mut out = format!(
        "{} nodes, {} shards, {} posts of {} users; loaded at {:.0} posts/s\n\
         recall@10 {:.3} with {:.0} % of the vectors indexed\n",
        figures.nodes,
        figures.shards,
        count(figures.posts),
        count(figures.users),
        figures.ingest_per_s,
        figures.recall_at_10,
        figures.ivf_rows_share * 100.0,
    );
    figures.feeds.iter().for_each(|rate| out += &of_rate(rate, ""));
    out += &of_rate(&figures.saturated, ", as many as there are answers");
    out += &cost::human(&figures.costs, style);
    let cpu: Vec<String> = figures
        .cpu_ms_per_feed
        .iter()
        .map(|(name, ms)| format!("{name} {ms:.1}"))
        .collect();
    let memory: Vec<String> = figures
        .resident_bytes
        .iter()
        .map(|(name, resident)| format!("{name} {}", bytes(*resident)))
        .collect();
    write!(
        out,
        "{} between coordinator and nodes per feed\nCPU ms per feed at the last rate: {}\n\
         in-network source, 500 followed: p50 {:.1} ms, p99 {:.1} ms; work of all shards p50 {:.2} ms, p99 {:.2} ms\n\
         memory: {}; {:.0} bytes per post and replica\nrestart of a node: {:.1} s until the cluster is whole\n",
        bytes(figures.wire_bytes_per_feed as u64),
        cpu.join(", "),
        figures.in_network.p50_ms,
        figures.in_network.p99_ms,
        figures.in_network_shards.p50_ms,
        figures.in_network_shards.p99_ms,
        memory.join(", "),
        figures.resident_bytes_per_post,
        figures.restart_s,
    )
    .expect("writing to a string");
    out
}
