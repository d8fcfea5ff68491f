//! `covey bench restart`: seconds to ready with a large replica, and where they and the memory go.

use std::time::{Duration, Instant};

use anyhow::Result;
use covey_api::v1::{NodeStatus, StartPhase, StatusReply};
use serde::Serialize;

use super::fill::{fill, gently};
use super::place::{Holding, Place};
use super::processes::Processes;
use super::rig::{Rig, settled};
use crate::args::{RestartArgs, WorldSize};
use crate::commands::{Context, Outcome, build_world, fetch_status, now_ms};
use crate::load::Format;
use crate::progress::Spinner;
use crate::render::memory;
use crate::render::text::{Style, bytes, count};

/// Posts stay however old they are: a replica that was loaded once can be measured again.
const SETTINGS: &str = "[retention]\nwindow = \"off\"\n\n[feed]\nmax_post_age = \"off\"\n";
/// A checkpoint of everything and a cut of the log come in between.
const REST: Duration = Duration::from_secs(25);

/// One start of node 1.
#[derive(Clone, Debug, Serialize)]
struct Start {
    /// How it was stopped.
    after: &'static str,
    /// From the start of the process until the cluster is healthy.
    ready_s: f64,
    phases: Vec<StartPhase>,
}

#[derive(Clone, Debug, Serialize)]
struct Figures {
    posts: u64,
    users: u64,
    nodes: usize,
    ingest_per_s: f64,
    starts: Vec<Start>,
    /// Of node 1 after its last start, in bytes.
    resident_bytes: u64,
    anonymous_bytes: u64,
    file_bytes: u64,
    memory: Vec<memory::Line>,
}

/// Loads once, then stops and starts node 1: with SIGTERM, then with SIGKILL while it is idle.
pub(super) async fn run(context: &Context, args: &RestartArgs, processes: &mut Processes) -> Result<Outcome> {
    let size = WorldSize {
        users: (args.posts / 50).max(20),
        posts: args.posts,
        sessions: Some(args.posts / 500),
        seed: 1,
        hours: 48,
        until: None,
    };
    let wish = format!("restart: {} posts on {} nodes", size.posts, args.nodes);
    let place = Place::open(&args.dir, args.fresh)?;
    let found = place.holding(&wish)?;
    let rig = Rig::prepare(place, args.nodes, SETTINGS)?;
    let client = rig.up(processes).await?;
    let holding = found.unwrap_or_else(|| Holding::wished(wish, now_ms()));
    let world = build_world(&WorldSize {
        until: Some(holding.until_ms),
        ..size.clone()
    })?;
    let holding = (holding, &Format::World(world), gently());
    let holding = fill(&rig.place, &client, holding, processes).await?;
    settled(&client, processes).await?;
    let (spinner, waiting) = (Spinner::start("waiting for a checkpoint"), Instant::now());
    tokio::time::sleep(REST).await;
    spinner.done(waiting.elapsed());
    let mut starts = Vec::new();
    for after in ["SIGTERM", "SIGKILL"] {
        starts.push(restart(&rig, processes, after).await?);
    }
    let client = rig.healthy(processes).await?;
    let state = fetch_status(&client).await?;
    let Some(node) = state.nodes.first() else {
        return Ok(Outcome::NotGood);
    };
    let figures = figures(&state, node, starts, (size.users, holding.ingest_per_s));
    context.show(&figures, || human(&figures, node, context.style))?;
    Ok(Outcome::Done)
}

async fn restart(rig: &Rig, processes: &mut Processes, after: &'static str) -> Result<Start> {
    match after {
        "SIGKILL" => processes.kill_one("node 1").await,
        _ => processes.stop_one("node 1").await,
    }
    let started = Instant::now();
    rig.start_node(1, processes)?;
    let client = rig.healthy(processes).await?;
    let ready_s = started.elapsed().as_secs_f64();
    let state = fetch_status(&client).await?;
    let node = state.nodes.first();
    Ok(Start {
        after,
        ready_s,
        phases: node.map_or(Vec::new(), |node| node.start.clone()),
    })
}

fn figures(state: &StatusReply, node: &NodeStatus, starts: Vec<Start>, (users, ingest_per_s): (u64, f64)) -> Figures {
    let memory = node.memory.clone().unwrap_or_default();
    Figures {
        posts: state.posts,
        users,
        nodes: state.nodes.len(),
        ingest_per_s,
        starts,
        resident_bytes: node.resident_bytes,
        anonymous_bytes: memory.anonymous_bytes,
        file_bytes: memory.file_bytes,
        memory: memory::lines(node),
    }
}

fn human(figures: &Figures, node: &NodeStatus, style: Style) -> String {
    let mut out = format!(
        "one shard of {} posts on {} nodes, loaded at {:.0} posts/s; node 1 takes {}\n",
        count(figures.posts),
        figures.nodes,
        figures.ingest_per_s,
        bytes(figures.resident_bytes),
    );
    for start in &figures.starts {
        let headline = format!("start after {}: ready after {:.1} s", start.after, start.ready_s);
        out += &format!("\n{}\n{}", style.bold(&headline), memory::phases(&start.phases, style));
    }
    out + "\n" + &memory::of_node(node, style)
}
