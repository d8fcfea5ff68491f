//! `covey demo`: a whole cluster on this machine, with a world in it.

mod input;
mod measure;
mod place;
mod processes;
mod report;
mod session;

use anyhow::{Context as _, Result};
use tokio::signal::unix::{SignalKind, signal};

use crate::args::{DemoArgs, OutputFormat};
use crate::commands::{Context, Outcome};
use processes::Processes;
use session::Session;

/// 1. starts the processes, 2. waits for them, 3. loads, 4. waits for the indexes, 5. shows a feed, 6. measures or stays,
/// 7. stops the processes, whatever happened before.
pub(crate) async fn run(context: &Context, args: DemoArgs) -> Result<Outcome> {
    let mut processes = Processes::new().await;
    let result = tokio::select! {
        result = play(context, args, &mut processes) => result,
        signal = stop_signal() => signal.map(|()| Outcome::Done),
    };
    if !processes.roll().is_empty() {
        eprintln!("stopping the cluster …");
        processes.stop().await;
        eprintln!("stopped");
    }
    result
}

async fn play(context: &Context, args: DemoArgs, processes: &mut Processes) -> Result<Outcome> {
    let json = args.json || context.format == OutputFormat::Json;
    let mut session = Session::prepare(context, args)?;
    session.start(processes)?;
    session.wait_until_ready(processes).await?;
    let wait = session.load(processes).await?;
    session.wait_for_indexes(processes).await?;
    let shown = session.show_feed(json).await?;
    if session.args.once {
        let report = session.measure(shown, wait).await?;
        return report.print(json);
    }
    session.stay(processes).await
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
