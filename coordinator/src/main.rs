//! covey-coordinator: takes requests and holds no data.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use covey_config::{Config, LogFormat};
use covey_coordinator::{Coordinator, CoordinatorParts};
use covey_env::Env;
use covey_telemetry::{Telemetry, TelemetryOptions};

/// How long the last spans may take.
const FLUSH: Duration = Duration::from_secs(3);
/// Threads that parse and embed large batches.
const COMPUTE_THREADS: usize = 1;

/// Serves the API of a Covey cluster: JSON over HTTP, and gRPC.
#[derive(Debug, Parser)]
#[command(name = "covey-coordinator", version)]
struct Args {
    /// The configuration of the cluster; the same file on every machine.
    #[arg(long, default_value = "cluster.toml")]
    config: PathBuf,
    /// Where to listen for HTTP, host:port; default: coordinator.http_listen.
    #[arg(long)]
    http: Option<String>,
    /// Where to listen for gRPC, host:port; default: coordinator.grpc_listen.
    #[arg(long)]
    grpc: Option<String>,
    /// Name of this coordinator in traces and logs; default: its HTTP address.
    #[arg(long)]
    id: Option<String>,
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("covey-coordinator: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    let http = args.http.unwrap_or_else(|| config.coordinator.http_listen.to_string());
    let grpc = args.grpc.unwrap_or_else(|| config.coordinator.grpc_listen.to_string());
    let telemetry = telemetry(&config, args.id.unwrap_or_else(|| http.clone()))?;
    let env = Env::production(COMPUTE_THREADS).context("cannot start the compute threads")?;
    let parts = CoordinatorParts {
        env,
        config,
        http,
        grpc,
    };
    let served = actix_rt::System::new().block_on(serve(parts));
    if let Err(error) = telemetry.shutdown(FLUSH) {
        eprintln!("covey-coordinator: {error}");
    }
    served
}

async fn serve(parts: CoordinatorParts) -> anyhow::Result<()> {
    let coordinator = Coordinator::start(parts).await?;
    tracing::info!(
        http = %coordinator.http_address(),
        grpc = %coordinator.grpc_address(),
        "the coordinator takes requests"
    );
    stop_signal().await?;
    tracing::info!("the coordinator stops");
    coordinator.stop().await;
    Ok(())
}

/// Ctrl-C, or the signal by which service managers ask a process to end.
async fn stop_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.context("cannot listen for Ctrl-C"),
        _ = terminate.recv() => Ok(()),
    }
}

fn telemetry(config: &Config, instance: String) -> anyhow::Result<Telemetry> {
    let settings = &config.telemetry;
    let telemetry = Telemetry::start(TelemetryOptions {
        otlp_endpoint: Some(settings.otlp_endpoint.clone()).filter(|endpoint| !endpoint.is_empty()),
        sample_ratio: settings.sample_ratio,
        span_queue: settings.span_queue,
        export_timeout: settings.export_timeout,
        log_filter: settings.log.clone(),
        log_format: match settings.log_format {
            LogFormat::Human => covey_telemetry::LogFormat::Human,
            LogFormat::Json => covey_telemetry::LogFormat::Json,
        },
        ..TelemetryOptions::new("covey-coordinator", instance)
    })?;
    telemetry.install_panic_hook("covey-coordinator");
    Ok(telemetry)
}
