//! Commands about nodes and operations.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::values::{duration, limit, maintenance};

/// What every command that begins an operation takes.
#[derive(Clone, Debug, Default, Args)]
pub struct WatchFlags {
    /// Stay until it has ended, and show how it comes along
    #[arg(long, conflicts_with = "dry_run")]
    pub watch: bool,
    /// Begin nothing; print what it would do, or why it would be refused
    #[arg(long)]
    pub dry_run: bool,
    /// With --watch: stop watching after this time; it goes on, and the exit code is 3
    #[arg(long, value_parser = duration, requires = "watch", value_name = "TIME")]
    pub timeout: Option<Duration>,
}

/// What commands take that begin an operation which can take long.
#[derive(Clone, Debug, Default, Args)]
pub struct StartFlags {
    /// How it is watched.
    #[command(flatten)]
    pub watch: WatchFlags,
    /// How long it may take (30m, 12h), at most 30 days; it is cancelled then
    #[arg(long, value_parser = limit, default_value = "1h", value_name = "TIME")]
    pub limit: Duration,
}

/// What to do with nodes.
#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    /// Have all replicas leave a node, and none come to it until `undrain`
    Drain {
        /// The node
        node: u64,
        /// How.
        #[command(flatten)]
        start: StartFlags,
    },
    /// Let a drained node have replicas again
    Undrain {
        /// The node
        node: u64,
    },
    /// Take a node without replicas out of the cluster for good: drain it first
    Remove {
        /// The node
        node: u64,
    },
    /// Have others lead what a node leads, and make none of its replicas anew elsewhere, for a while: before a restart
    Maintenance {
        /// The node
        node: u64,
        /// For how long (30m, 2h), at most a week; `covey cancel` ends it before
        #[arg(long = "for", value_parser = maintenance, default_value = "30m", value_name = "TIME")]
        time: Duration,
        /// How.
        #[command(flatten)]
        watch: WatchFlags,
    },
    /// Make the replicas of a node that is away for good anew elsewhere, without waiting for the cluster to do so
    Repair {
        /// The node
        node: u64,
        /// How.
        #[command(flatten)]
        start: StartFlags,
    },
}

/// Arguments of `operations`.
#[derive(Debug, Args)]
pub struct OperationsArgs {
    /// Also those that have ended
    #[arg(long)]
    pub all: bool,
}

/// Arguments of `audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// So many lines, the newest ones
    #[arg(short = 'n', long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "LINES")]
    pub lines: u32,
}

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// The operation; without it all that run
    pub operation: Option<u64>,
    /// Stop watching after this time; the exit code is 3 then
    #[arg(long, value_parser = duration, value_name = "TIME")]
    pub timeout: Option<Duration>,
}

/// Arguments of `shard move`.
#[derive(Debug, Args)]
pub struct MoveArgs {
    /// The shard; 0 is the metadata
    pub shard: u64,
    /// A node that has a replica of it
    #[arg(long, value_name = "NODE")]
    pub from: u64,
    /// A node that has none
    #[arg(long, value_name = "NODE")]
    pub to: u64,
    /// How.
    #[command(flatten)]
    pub start: StartFlags,
}

/// Arguments of `shard transfer-leader`.
#[derive(Debug, Args)]
pub struct TransferLeaderArgs {
    /// The shard; 0 is the metadata
    pub shard: u64,
    /// A node that has a replica of it
    #[arg(long, value_name = "NODE")]
    pub to: u64,
    /// How.
    #[command(flatten)]
    pub start: StartFlags,
}
