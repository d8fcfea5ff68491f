//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use covey_api::v1::PostKey;

use crate::client::DEFAULT_SERVER;

const EXIT_CODES: &str = "Exit codes: 0 done; 1 the cluster is not healthy, or the command failed; 2 the command line is wrong; \
3 no coordinator answers; 130 interrupted.";

/// Covey: personalised feeds from a sharded, replicated cluster.
#[derive(Debug, Parser)]
#[command(name = "covey", version, after_help = EXIT_CODES, max_term_width = 110)]
pub struct Cli {
    /// gRPC address of a coordinator
    #[arg(long, global = true, env = "COVEY_SERVER", default_value = DEFAULT_SERVER, value_name = "URL")]
    pub server: String,
    /// How replies are printed: for people, as the API's JSON, or (status) one fact a line
    #[arg(long, global = true, value_enum, default_value = "human")]
    pub format: OutputFormat,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// How replies are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people.
    Human,
    /// The reply as JSON, on one line.
    Json,
    /// One fact a line.
    Plain,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// State of the cluster on one screen; the exit code is its health
    Status(StatusArgs),
    /// A viewer's feed
    Feed(FeedArgs),
    /// Why a post is in a viewer's feed, or why not
    Explain(ExplainArgs),
    /// Posts similar to a text, a post or a vector
    Search(SearchArgs),
    /// Write a post
    Put(PutArgs),
    /// Read posts
    Get(GetArgs),
    /// Delete posts
    Delete(DeleteArgs),
    /// Load data: the generated world, jsonl, hackernews, higgs, fvecs
    Load(LoadArgs),
    /// Print the generated world as jsonl
    World(WorldArgs),
    /// Start a whole cluster on this machine, load a world, show a feed; stays up until Ctrl-C
    Demo(DemoArgs),
    /// Measure a cluster on this machine: ingest, latency, recall, CPU, memory, restart
    Bench(BenchArgs),
    /// Check the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Wait until the cluster is healthy, at most this long (60s, 5m)
    #[arg(long, value_parser = duration)]
    pub wait: Option<Duration>,
}

/// Arguments of `feed`.
#[derive(Debug, Args)]
pub struct FeedArgs {
    /// Whose feed
    #[arg(long)]
    pub viewer: u64,
    /// Posts wanted; 0 = the cluster's feed.result_size
    #[arg(long, default_value_t = 0)]
    pub limit: u32,
    /// Show how each post got its place, and what every component did
    #[arg(long)]
    pub explain: bool,
    /// Only posts of followed users
    #[arg(long)]
    pub in_network_only: bool,
    /// Only posts with video
    #[arg(long)]
    pub video_only: bool,
    /// Cursor of the page before
    #[arg(long, default_value = "", hide_default_value = true)]
    pub cursor: String,
    /// Time for the reply
    #[arg(long, value_parser = duration)]
    pub deadline: Option<Duration>,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Whose feed
    #[arg(long)]
    pub viewer: u64,
    /// The post, as author/post or post; may be repeated
    #[arg(long = "post", required = true, value_parser = post_key, value_name = "AUTHOR/POST")]
    pub posts: Vec<PostKey>,
}

/// Arguments of `search`.
#[derive(Debug, Args)]
pub struct SearchArgs {
    /// Similar to what.
    #[command(flatten)]
    pub query: SearchQuery,
    /// Hits wanted
    #[arg(long, default_value_t = 10)]
    pub k: u32,
    /// Compare with every post instead of using the indexes
    #[arg(long)]
    pub exact: bool,
    /// Only this author; may be repeated
    #[arg(long = "author")]
    pub authors: Vec<u64>,
    /// Only this language (two letters)
    #[arg(long, default_value = "", hide_default_value = true)]
    pub language: String,
    /// Only posts younger than this
    #[arg(long, value_parser = duration, value_name = "AGE")]
    pub within: Option<Duration>,
    /// Only posts with (true) or without (false) a video
    #[arg(long)]
    pub video: Option<bool>,
    /// Time for the reply
    #[arg(long, value_parser = duration)]
    pub deadline: Option<Duration>,
}

/// Similar to what.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct SearchQuery {
    /// A text
    #[arg(long)]
    pub text: Option<String>,
    /// A post, as author/post or post
    #[arg(long, value_parser = post_key, value_name = "AUTHOR/POST")]
    pub post: Option<PostKey>,
    /// A vector: numbers with commas between, or @FILE
    #[arg(long, value_name = "NUMBERS")]
    pub vector: Option<String>,
}

/// Arguments of `put`.
#[derive(Debug, Args)]
pub struct PutArgs {
    /// Author of the post
    #[arg(long)]
    pub author: u64,
    /// Id of the post
    #[arg(long)]
    pub id: u64,
    /// The text
    #[arg(long, default_value = "", hide_default_value = true)]
    pub text: String,
    /// Language of the text (two letters)
    #[arg(long, default_value = "", hide_default_value = true)]
    pub language: String,
    /// The post that it answers
    #[arg(long, value_parser = post_key, value_name = "AUTHOR/POST")]
    pub reply_to: Option<PostKey>,
    /// The post that it repeats
    #[arg(long, value_parser = post_key, value_name = "AUTHOR/POST")]
    pub repost_of: Option<PostKey>,
    /// The post that it comments on
    #[arg(long, value_parser = post_key, value_name = "AUTHOR/POST")]
    pub quote_of: Option<PostKey>,
}

/// Arguments of `get`.
#[derive(Debug, Args)]
pub struct GetArgs {
    /// Posts, as author/post or post (then every shard is asked)
    #[arg(required = true, value_parser = post_key, value_name = "AUTHOR/POST")]
    pub posts: Vec<PostKey>,
    /// Also print the content vectors
    #[arg(long)]
    pub vectors: bool,
}

/// Arguments of `delete`.
#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// Posts, as author/post
    #[arg(required = true, value_parser = owned_post_key, value_name = "AUTHOR/POST")]
    pub posts: Vec<PostKey>,
}

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

/// Arguments of `demo`.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Where the demo keeps its data, configuration and logs
    #[arg(long, default_value = ".covey/demo")]
    pub dir: PathBuf,
    /// Size and seed.
    #[command(flatten)]
    pub size: WorldSize,
    /// Show this file instead of a generated world: jsonl, hackernews, higgs or fvecs
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Send traces to this OTLP collector, such as http://127.0.0.1:4317
    #[arg(long, value_name = "URL")]
    pub otlp: Option<String>,
    /// Measure, print the figures, stop; the exit code says whether all was well
    #[arg(long)]
    pub once: bool,
    /// Print nothing but the figures, as one line of JSON
    #[arg(long, requires = "once")]
    pub json: bool,
    /// Remove what an earlier demo left in --dir
    #[arg(long)]
    pub fresh: bool,
    /// Whose feed to show; default: somebody with a history
    #[arg(long)]
    pub viewer: Option<u64>,
}

/// Arguments of `bench`.
#[derive(Clone, Debug, Args)]
pub struct BenchArgs {
    /// The cluster and its world.
    #[command(flatten)]
    pub demo: DemoArgs,
    /// Feeds per second; several are measured one after another
    #[arg(long, value_delimiter = ',', default_values_t = [1, 20], value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rates: Vec<u32>,
    /// Seconds per rate
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub seconds: u64,
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

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Report everything that is wrong with a file, at once
    Check {
        /// The file
        #[arg(default_value = "cluster.toml")]
        file: PathBuf,
    },
}

/// Parses 250ms, 60s, 5m, 2h.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let wrong = || format!("{text:?} is no time; write 250ms, 60s, 5m or 2h");
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let unit = match &text[digits..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit).map(Duration::from_millis).ok_or_else(wrong)
}

fn dimension(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(dim) if (1..=4096).contains(&dim) => Ok(dim),
        _ => Err("a dimension is a number from 1 to 4096".to_owned()),
    }
}

/// Parses `author/post` or `post`.
fn post_key(text: &str) -> Result<PostKey, String> {
    let id = |part: &str| match part.parse::<u64>() {
        Ok(id) if id > 0 => Ok(id),
        _ => Err(format!(
            "{text:?} is no post; write author/post or post, as numbers above 0"
        )),
    };
    match text.split_once('/') {
        Some((author, post)) => Ok(PostKey {
            author_id: id(author)?,
            post_id: id(post)?,
        }),
        None => Ok(PostKey {
            author_id: 0,
            post_id: id(text)?,
        }),
    }
}

fn owned_post_key(text: &str) -> Result<PostKey, String> {
    match post_key(text)? {
        PostKey { author_id: 0, .. } => Err(format!(
            "{text:?} names no author; write author/post (`covey get {text}` tells)"
        )),
        key => Ok(key),
    }
}

#[cfg(test)]
#[path = "args_test.rs"]
mod tests;
