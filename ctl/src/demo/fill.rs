//! Loads a cluster once: an interrupted load goes on, a finished one is not repeated.

use std::time::Duration;

use anyhow::Result;

use super::place::{Holding, Place};
use super::processes::Processes;
use crate::client::Client;
use crate::commands::load_summary;
use crate::load::{self, Format, LoadOptions};

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

/// Ends when a process does.
async fn first_death(processes: &mut Processes) -> anyhow::Error {
    loop {
        if let Err(dead) = processes.all_alive() {
            return dead;
        }
        tokio::time::sleep(AGAIN).await;
    }
}
