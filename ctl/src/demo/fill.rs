//! Loads a cluster once: an interrupted load goes on, a finished one is not repeated.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use super::place::{Holding, Place};
use super::processes::Processes;
use super::rig::{Rig, settled};
use crate::args::WorldSize;
use crate::client::Client;
use crate::commands::{build_world, load_summary, now_ms};
use crate::load::{self, Format, LoadOptions};
use crate::world::World;

/// Time between two looks whether a process has ended.
const AGAIN: Duration = Duration::from_millis(300);

/// Loads what `holding` says into the cluster of `place`; an error if one of its processes ends meanwhile.
pub(super) async fn fill(
    place: &Place,
    client: &Client,
    (mut holding, format, options): (Holding, &Format, LoadOptions),
    processes: &mut Processes,
) -> Result<Holding> {
    if holding.complete {
        eprintln!("  {} is loaded already", holding.wish);
        return Ok(holding);
    }
    // Before the first write: what is half loaded must not be taken for something else.
    place.remember(&holding)?;
    eprintln!("  loading {}", holding.wish);
    let options = LoadOptions {
        state: Some(place.load_state()),
        ..options
    };
    let report = tokio::select! {
        report = load::load(client.clone(), format, &options) => report?,
        dead = first_death(processes) => return Err(dead),
    };
    eprint!("  {}", load_summary(&report));
    holding.complete = true;
    holding.ingest_per_s = report.posts_per_s();
    place.remember(&holding)?;
    Ok(holding)
}

/// Few requests at a time: what counts is that all of it arrives, however slow the machine is.
pub(super) fn gently() -> LoadOptions {
    LoadOptions {
        concurrency: 4,
        patience: Duration::from_secs(600),
        ..LoadOptions::default()
    }
}

/// Loads a world of so many posts for the benchmark of this name, and waits for the indexes. The world, and posts per second.
pub(super) async fn fill_with_world(
    (bench, posts): (&str, u64),
    rig: &Rig,
    client: &Client,
    processes: &mut Processes,
) -> Result<(Arc<World>, f64)> {
    let world = build_world(&WorldSize {
        users: (posts / 50).max(1_000),
        posts,
        sessions: Some(posts / 500),
        seed: 1,
        hours: 48,
        until: None,
    })?;
    let holding = Holding::wished(format!("{bench}: {posts} posts"), now_ms());
    let holding = (holding, &Format::World(world.clone()), gently());
    let holding = fill(&rig.place, client, holding, processes).await?;
    settled(client, processes).await?;
    Ok((world, holding.ingest_per_s))
}

/// Ends when a process does.
async fn first_death(processes: &mut Processes) -> anyhow::Error {
    loop {
        if let Err(dead) = processes.all_alive() {
            return dead;
        }
        tokio::time::sleep(AGAIN).await;
    }
}
