//! `covey demo`: a whole cluster on this machine, with a world in it.

mod bench;
mod busy;
mod comeback;
mod cost;
mod disk_usage;
mod elastic;
mod fill;
mod flat;
mod input;
mod measure;
mod own_writes;
mod paced;
mod patient;
mod place;
mod processes;
mod quality;
mod rates;
mod report;
mod restart;
mod rig;
mod searches;
mod session;
mod slots;
mod steady;
mod stream;
mod takedown;
mod traffic;
mod usage;

use std::path::Path;

use anyhow::{Context as _, Result};
use tokio::signal::unix::{SignalKind, signal};

use crate::args::{BenchArgs, BenchCommand, ClusterArgs, DemoArgs, OutputFormat};
use crate::commands::{Context, Outcome};
use processes::Processes;
use session::{Loaded, Session};

/// 1. starts the processes, 2. waits for them, 3. loads, 4. waits for the indexes, 5. shows a feed, 6. measures or stays,
/// 7. stops the processes, whatever happened before.
pub(crate) async fn run(context: &Context, args: DemoArgs) -> Result<Outcome> {
    let mut processes = Processes::new().await;
    let result = tokio::select! {
        result = play(context, args, &mut processes) => result,
        signal = stop_signal() => signal.map(|()| Outcome::Done),
    };
    stop(processes).await;
    result
}

/// The same cluster, measured instead of shown.
pub(crate) async fn bench(context: &Context, args: BenchArgs) -> Result<Outcome> {
    let mut processes = Processes::new().await;
    let result = tokio::select! {
        result = measured(context, &args, &mut processes) => result,
        signal = stop_signal() => signal.map(|()| Outcome::NotGood),
    };
    stop(processes).await;
    result
}

async fn stop(mut processes: Processes) {
    if !processes.roll().is_empty() {
        eprintln!("stopping the cluster …");
        processes.stop().await;
        eprintln!("stopped");
    }
}

async fn play(context: &Context, args: DemoArgs, processes: &mut Processes) -> Result<Outcome> {
    let json = args.json || context.format == OutputFormat::Json;
    let (mut session, loaded) = up(context, (&args.dir, &args.cluster), processes).await?;
    let shown = session.show_feed(args.viewer, json).await?;
    if args.once {
        let report = session.measure(shown, loaded).await?;
        return report.print(json);
    }
    session.stay(processes).await
}

async fn measured(context: &Context, args: &BenchArgs, processes: &mut Processes) -> Result<Outcome> {
    match &args.what {
        Some(BenchCommand::Comeback(args)) => comeback::run(context, args, processes).await,
        Some(BenchCommand::Elastic(args)) => elastic::run(context, args, processes).await,
        Some(BenchCommand::Restart(args)) => restart::run(context, args, processes).await,
        Some(BenchCommand::Steady(args)) => steady::run(context, args, processes).await,
        Some(BenchCommand::Takedown(args)) => takedown::run(context, args, processes).await,
        Some(BenchCommand::Quality(args)) => quality::run(context, args, processes).await,
        Some(BenchCommand::Busy(args)) => {
            let (mut session, _) = up(context, (&args.dir, &args.cluster), processes).await?;
            busy::run(context, args, &mut session, processes).await
        }
        Some(BenchCommand::OwnWrites(args)) => {
            let (session, _) = up(context, (&args.dir, &args.cluster), processes).await?;
            own_writes::run(context, args, &session).await
        }
        None => {
            let (mut session, loaded) = up(context, (&args.dir, &args.cluster), processes).await?;
            bench::run(context, args, &mut session, processes, loaded.ingest_per_s).await
        }
    }
}

/// Steps 1 to 4.
async fn up(
    context: &Context,
    (dir, cluster): (&Path, &ClusterArgs),
    processes: &mut Processes,
) -> Result<(Session, Loaded)> {
    loaded(Session::prepare(context, dir, cluster, false)?, processes).await
}

async fn loaded(mut session: Session, processes: &mut Processes) -> Result<(Session, Loaded)> {
    session.start(processes)?;
    session.wait_until_ready(processes).await?;
    let loaded = session.load(processes).await?;
    session.wait_for_indexes(processes).await?;
    Ok((session, loaded))
}

/// Ctrl-C, or what a service manager or a closing terminal sends.
async fn stop_signal() -> Result<()> {
    let listen = |kind| signal(kind).context("cannot listen for signals");
    let (mut terminate, mut hangup) = (listen(SignalKind::terminate())?, listen(SignalKind::hangup())?);
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.context("cannot listen for Ctrl-C"),
        _ = terminate.recv() => Ok(()),
        _ = hangup.recv() => Ok(()),
    }
}
