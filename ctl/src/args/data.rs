//! Arguments of the commands that make or move data: world, load, demo, bench.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::values::{dimension, duration, nodes};

/// Size of a generated world.
#[derive(Clone, Debug, Args)]
pub struct WorldSize {
    /// Users
    #[arg(long, default_value_t = 10_000)]
    pub users: u64,
    /// Posts
    #[arg(long, default_value_t = 100_000)]
    pub posts: u64,
    /// Visits of viewers, each of which leaves a few dozen actions; default: two fifths of the users
    #[arg(long)]
    pub sessions: Option<u64>,
    /// Another seed is another world
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Hours that the posts cover
    #[arg(long, default_value_t = 48)]
    pub hours: u64,
    /// End of these hours in milliseconds since 1970; default: now. Give it to get the same bytes again
    #[arg(long, value_name = "UNIX_MS")]
    pub until: Option<u64>,
}

/// Arguments of `world`.
#[derive(Debug, Args)]
pub struct WorldArgs {
    /// Size and seed.
    #[command(flatten)]
    pub size: WorldSize,
    /// Where to write jsonl; - is the standard output
    #[arg(long, default_value = "-", value_name = "FILE")]
    pub out: PathBuf,
}

/// The demo's cluster and what it holds.
#[derive(Clone, Debug, Args)]
pub struct ClusterArgs {
    /// Size and seed.
    #[command(flatten)]
    pub size: WorldSize,
    /// Load this file instead of a generated world: jsonl, hackernews, higgs or fvecs
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Send traces to this OTLP collector, such as http://127.0.0.1:4317
    #[arg(long, value_name = "URL")]
    pub otlp: Option<String>,
    /// Remove what an earlier run left in --dir
    #[arg(long)]
    pub fresh: bool,
}

/// Arguments of `demo`.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Where the demo keeps its data, configuration and logs
    #[arg(long, default_value = ".covey/demo")]
    pub dir: PathBuf,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// Measure, print the figures, stop; the exit code says whether all was well
    #[arg(long)]
    pub once: bool,
    /// Print nothing but the figures, as one line of JSON
    #[arg(long, requires = "once")]
    pub json: bool,
    /// Whose feed to show; default: somebody with a history
    #[arg(long)]
    pub viewer: Option<u64>,
}

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
    /// A shard with many posts: seconds to ready by phase, memory per post by part
    Restart(RestartArgs),
    /// Steady writing and expiry, time compressed: do log, stores and memory stay as large as they are?
    Steady(SteadyArgs),
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

/// What to evaluate.
#[derive(Debug, Subcommand)]
pub enum EvaluateCommand {
    /// In-network feeds of a cluster that holds higgs up to --before: do they show whom the viewer retweets next?
    Higgs(HiggsArgs),
}

/// Arguments of `evaluate higgs`.
#[derive(Debug, Args)]
pub struct HiggsArgs {
    /// The whole file higgs-activity_time.txt
    pub path: PathBuf,
    /// What the cluster was loaded with: what happened at or after this time is held out
    #[arg(long, value_name = "UNIX_SECONDS")]
    pub before: u64,
    /// Posts of a feed
    #[arg(long, default_value_t = 35, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub k: u32,
    /// Only viewers who follow at least this many
    #[arg(long, default_value_t = 5)]
    pub min_followed: usize,
}

/// Arguments of `load`.
#[derive(Debug, Args)]
pub struct LoadArgs {
    /// Input.
    #[command(subcommand)]
    pub input: LoadInput,
    /// How to load.
    #[command(flatten)]
    pub options: LoadFlags,
}

/// What to load.
#[derive(Debug, Subcommand)]
pub enum LoadInput {
    /// The generated world (docs/world.md)
    World {
        /// Size and seed.
        #[command(flatten)]
        size: WorldSize,
    },
    /// Records in the JSON of the API (docs/loaders.md)
    Jsonl {
        /// The file; - is the standard input
        path: PathBuf,
    },
    /// Stories of Hacker News as CSV
    Hackernews {
        /// The file
        path: PathBuf,
        /// Record each story as a favourite of its author, so that authors can stand for readers
        #[arg(long)]
        own_history: bool,
    },
    /// Timed actions of SNAP's higgs-twitter
    Higgs {
        /// The file higgs-activity_time.txt
        path: PathBuf,
        /// Leave out what happened at or after this time
        #[arg(long, value_name = "UNIX_SECONDS")]
        before: Option<u64>,
        /// Dimension of the made-up vectors: the cluster's embedding.dim
        #[arg(long, default_value_t = 128, value_parser = dimension)]
        dim: usize,
    },
    /// Vectors
    Fvecs {
        /// The file
        path: PathBuf,
        /// One text per row
        #[arg(long)]
        words: Option<PathBuf>,
        /// Vectors are filled up with zeros to the cluster's embedding.dim
        #[arg(long, default_value_t = 128, value_parser = dimension)]
        dim: usize,
        /// Authors among whom the posts are dealt
        #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
        authors: u64,
    },
}

/// How to load.
#[derive(Clone, Debug, Args)]
pub struct LoadFlags {
    /// Records per request
    #[arg(long, global = true, default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub batch: u16,
    /// Requests under way at once
    #[arg(long, global = true, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1_024))]
    pub concurrency: u16,
    /// How long a batch may fail before the load stops
    #[arg(long, global = true, value_parser = duration, default_value = "60s")]
    pub patience: Duration,
    /// Where to keep how far the load has come; default: beside the input
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "no_state")]
    pub state: Option<PathBuf>,
    /// Keep no checkpoint: an interrupted load starts again
    #[arg(long, global = true)]
    pub no_state: bool,
    /// Move all times so that the newest record is now
    #[arg(long, global = true)]
    pub rebase_time: bool,
    /// Only the first rows
    #[arg(long, global = true, value_name = "ROWS")]
    pub limit: Option<u64>,
    /// Bad rows to print one by one
    #[arg(long, global = true, default_value_t = 10)]
    pub show_bad: usize,
}
