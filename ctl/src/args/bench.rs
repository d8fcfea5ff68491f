//! Arguments of `bench`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::data::ClusterArgs;
use super::values::{duration, nodes};

/// Arguments of `bench`.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BenchArgs {
    /// Something else than feeds.
    #[command(subcommand)]
    pub what: Option<BenchCommand>,
    /// Where the cluster lies; by default the demo's, which is not loaded again
    #[arg(long, default_value = ".covey/demo")]
    pub dir: PathBuf,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// Feeds per second; several are measured one after another
    #[arg(long, value_delimiter = ',', default_values_t = [1, 20], value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rates: Vec<u32>,
    /// Seconds per rate
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub seconds: u64,
}

/// What `bench` measures besides feeds.
#[derive(Clone, Debug, Subcommand)]
pub enum BenchCommand {
    /// Searches, quiet and beside writes, seals and merges: how much slower are they?
    Busy(BusyArgs),
    /// A replica far behind, then one with an emptied disk, come back by snapshot under load: bytes, time, searches meanwhile
    Comeback(ComebackArgs),
    /// Moves, a drain, restarts, kills and a stopped node under load: errors, lost writes, pauses, how far off the ETA was
    Elastic(ElasticArgs),
    /// Are posts found by their own vectors right after their acknowledgement?
    OwnWrites(OwnWritesArgs),
    /// How near do feeds of a generated world come to the best possible ones, and to simple rules?
    Quality(QualityArgs),
    /// A shard with many posts: seconds to ready by phase, memory per post by part
    Restart(RestartArgs),
    /// Steady writing and expiry, time compressed: do log, stores and memory stay as large as they are?
    Steady(SteadyArgs),
    /// Posts are taken down and deleted under load: when does the last reply of any coordinator show them?
    Takedown(TakedownArgs),
}

/// Arguments of `bench busy`.
#[derive(Clone, Debug, Args)]
pub struct BusyArgs {
    /// Where the cluster lies, with the posts that earlier runs wrote
    #[arg(long, default_value = ".covey/bench-writes")]
    pub dir: PathBuf,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// Searches per second
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rate: u32,
    /// Seconds per phase
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub seconds: u64,
    /// Posts written per second beside the searches
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub ingest: u32,
}

/// Arguments of `bench own-writes`.
#[derive(Clone, Debug, Args)]
pub struct OwnWritesArgs {
    /// Where the cluster lies, with the posts that earlier runs wrote
    #[arg(long, default_value = ".covey/bench-writes")]
    pub dir: PathBuf,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// Posts that are written and looked for
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub writes: u64,
}

/// Arguments of `bench comeback`.
#[derive(Clone, Debug, Args)]
pub struct ComebackArgs {
    /// Posts of the one shard, all written while one of its three replicas is away
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(20_000..=100_000_000))]
    pub posts: u64,
    /// Most posts in one entry of the log (coordinator.ingest_batch), and in one request of the load
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub batch: u16,
    /// Searches per second
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rate: u32,
    /// Posts per second written beside the searches, and as many favourites
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=20_000))]
    pub ingest: u64,
    /// Where the cluster lies
    #[arg(long, default_value = ".covey/bench-comeback")]
    pub dir: PathBuf,
    /// Remove what an earlier run left in --dir: a run begins with nothing
    #[arg(long)]
    pub fresh: bool,
}

/// Arguments of `bench elastic`.
#[derive(Clone, Debug, Args)]
pub struct ElasticArgs {
    /// Posts that are loaded first
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    pub posts: u64,
    /// Nodes, more than --replication
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(4..=16))]
    pub nodes: u8,
    /// Shards
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub shards: u16,
    /// Replicas of each shard
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(3..=7))]
    pub replication: u8,
    /// Searches per second
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rate: u32,
    /// Feeds per second
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub feeds: u32,
    /// Posts per second, written in batches to one shard after another
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub ingest: u32,
    /// Seconds of quiet before the first operation, which the others are compared with
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(5..=3_600))]
    pub seconds: u64,
    /// Where the cluster lies
    #[arg(long, default_value = ".covey/bench-elastic")]
    pub dir: PathBuf,
    /// Remove what an earlier run left in --dir: a run begins with nothing
    #[arg(long)]
    pub fresh: bool,
    /// Print nothing but the figures, as one JSON array
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `bench restart`.
#[derive(Clone, Debug, Args)]
pub struct RestartArgs {
    /// Posts of the one shard
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    pub posts: u64,
    /// Nodes, each with a replica
    #[arg(long, default_value_t = 1, value_parser = nodes)]
    pub nodes: usize,
    /// Where the cluster lies; one that is loaded already is measured again
    #[arg(long, default_value = ".covey/bench-restart")]
    pub dir: PathBuf,
    /// Remove what an earlier run left in --dir
    #[arg(long)]
    pub fresh: bool,
}

/// Arguments of `bench steady`.
#[derive(Clone, Debug, Args)]
pub struct SteadyArgs {
    /// How long
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1_440))]
    pub minutes: u64,
    /// Posts per second, and as many favourites of recent posts
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub rate: u64,
    /// Age at which posts expire, at least 1m
    #[arg(long, default_value = "1m", value_parser = duration)]
    pub retention: Duration,
    /// Pause between two looks
    #[arg(long, default_value = "5s", value_parser = duration)]
    pub every: Duration,
    /// Nodes, each with a replica of the one shard
    #[arg(long, default_value_t = 1, value_parser = nodes)]
    pub nodes: usize,
    /// Where the cluster lies
    #[arg(long, default_value = ".covey/bench-steady")]
    pub dir: PathBuf,
    /// Remove what an earlier run left in --dir: a run begins with nothing
    #[arg(long)]
    pub fresh: bool,
}

/// Arguments of `bench quality`.
#[derive(Clone, Debug, Args)]
pub struct QualityArgs {
    /// Where the cluster lies; by default the demo's, which is not loaded again
    #[arg(long, default_value = ".covey/demo")]
    pub dir: PathBuf,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// Viewers with a history; half as many without one are asked for besides
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(10..=10_000))]
    pub viewers: u16,
    /// Print nothing but the figures, as one JSON array
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `bench takedown`.
#[derive(Clone, Debug, Args)]
pub struct TakedownArgs {
    /// Posts that are written, seen, and taken down or deleted
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(20..=100_000))]
    pub tries: u32,
    /// Meanwhile kill, and stop for a while, the node that leads the shard of the next post
    #[arg(long)]
    pub kill: bool,
    /// Posts that are loaded first
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    pub posts: u64,
    /// Shards, each with a replica on all of three nodes
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub shards: u16,
    /// Feeds per second beside those of the viewers who look without pause
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub feeds: u32,
    /// Posts per second beside those that are taken down
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub ingest: u32,
    /// Where the cluster lies
    #[arg(long, default_value = ".covey/bench-takedown")]
    pub dir: PathBuf,
    /// Remove what an earlier run left in --dir: a run begins with nothing
    #[arg(long)]
    pub fresh: bool,
    /// Print nothing but the figures, one line of JSON for each kind
    #[arg(long)]
    pub json: bool,
}
