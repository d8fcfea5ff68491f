//! Arguments of the commands that make or move data: world, load, demo.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::values::{dimension, duration};

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
