//! covey-node: one machine of the cluster.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use covey_config::Config;
use covey_shared::ids::NodeId;

/// Serves the shard replicas that cluster.toml places on this node.
#[derive(Debug, Parser)]
#[command(name = "covey-node", version)]
struct Args {
    /// The configuration of the cluster; the same file on every machine.
    #[arg(long, default_value = "cluster.toml")]
    config: PathBuf,
    /// Which `[[node]]` of it this process is.
    #[arg(long)]
    node: u64,
    /// Where this node keeps its data; default: <cluster.data_dir>/node-<id>.
    #[arg(long)]
    data: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("covey-node: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> anyhow::Result<()> {
    covey_ann::ensure_single_threaded_env().context("cannot start")?;
    covey_ann::check_cpu().context("cannot start")?;
    let config = Config::load(&args.config)?;
    let node = NodeId(args.node);
    actix_rt::System::new().block_on(covey_node::serve(config, node, args.data))
}
