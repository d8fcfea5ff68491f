//! covey-node: one machine of the cluster.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use covey_config::{Address, Config, NodeConfig};
use covey_shared::ids::NodeId;

/// Serves the shard replicas that cluster.toml places on this node.
#[derive(Debug, Parser)]
#[command(name = "covey-node", version)]
struct Args {
    /// The configuration of the cluster; the same file on every machine.
    #[arg(long, default_value = "cluster.toml")]
    config: PathBuf,
    /// Which node this process is: a `[[node]]` of it, or a new one with --join. An id is never given to another machine
    #[arg(long)]
    node: u64,
    /// Join a running cluster as a new node: cluster.toml need not name it, the nodes that it names are told
    #[arg(long, requires = "listen")]
    join: bool,
    /// Where the node that joins listens
    #[arg(long, requires = "join", value_name = "HOST:PORT", value_parser = address)]
    listen: Option<Address>,
    /// Failure domain of the node that joins: a rack, room or data centre
    #[arg(long, requires = "join", default_value = "")]
    zone: String,
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

fn address(text: &str) -> Result<Address, String> {
    Address::parse(text).ok_or_else(|| "an address is host:port".to_owned())
}

fn run(args: Args) -> anyhow::Result<()> {
    covey_ann::ensure_single_threaded_env().context("cannot start")?;
    covey_ann::check_cpu().context("cannot start")?;
    let node = NodeId(args.node);
    let config = match args.listen {
        None => Config::load(&args.config)?,
        Some(listen) => {
            let joins = NodeConfig {
                id: node,
                listen,
                zone: args.zone,
                meta: false,
                joined: true,
            };
            Config::load_joining(&args.config, &joins)?
        }
    };
    actix_rt::System::new().block_on(covey_node::serve(config, node, args.data))
}
