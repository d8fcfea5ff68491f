//! The command line.

use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use covey_api::v1::{FeedKind, PostKey};

use crate::client::DEFAULT_SERVER;
use values::{duration, owned_post_key, pause, post_key};

pub use bench::{
    BenchArgs, BenchCommand, BusyArgs, ComebackArgs, ElasticArgs, OwnWritesArgs, QualityArgs, RestartArgs, SteadyArgs,
    TakedownArgs,
};
pub use config::{ConfigCommand, SetFlags};
pub use data::{
    ClusterArgs, DemoArgs, EvaluateCommand, HiggsArgs, LoadArgs, LoadFlags, LoadInput, WorldArgs, WorldSize,
};

pub use events::{EventKind, EventsArgs};
pub use operations::{
    AuditArgs, MoveArgs, NodeCommand, OperationsArgs, StartFlags, TransferLeaderArgs, UnsafeRecoverArgs, WatchArgs,
    WatchFlags,
};

mod bench;
mod config;
mod data;
mod events;
mod operations;
mod values;

const EXIT_CODES: &str = "Exit codes: 0 done; 1 the cluster is not healthy, replicas are not equal, the operation that was watched failed or was \
cancelled, or the command failed; 2 the command line is wrong, or the operation is refused and nothing has changed; 3 no coordinator answers, or the operation \
that was watched still runs when --timeout has passed; 130 interrupted.";

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
    /// Who asks for an operation, for the audit log
    #[arg(
        long,
        global = true,
        env = "USER",
        default_value = "covey",
        value_name = "NAME",
        hide_env = true
    )]
    pub by: String,
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
    Bench(Box<BenchArgs>),
    /// Measure feeds against what people really did
    #[command(subcommand)]
    Evaluate(EvaluateCommand),
    /// Nodes: which there are, what they are at, what they hold
    Nodes,
    /// Shards: who leads them, where their replicas are
    Shards,
    /// Operations that run: moves, drains, additions, maintenance, repairs
    Operations(OperationsArgs),
    /// Follow an operation, or all that run, until the end
    Watch(WatchArgs),
    /// Take an operation back, as far as that is possible
    Cancel {
        /// The operation
        operation: u64,
    },
    /// Who asked for what, and what came of it
    Audit(AuditArgs),
    /// Fill, drain, maintain and repair nodes
    #[command(subcommand)]
    Node(NodeCommand),
    /// Look after shards
    #[command(subcommand)]
    Shard(ShardCommand),
    /// Hold builds and merges of vector indexes back, or let them go on
    #[command(subcommand)]
    Builds(BuildsCommand),
    /// Look into the event log of the coordinators of this machine
    Events(EventsArgs),
    /// Check the configuration, and set keys of it on all coordinators while they serve
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Wait until the cluster is healthy, at most this long (60s, 5m)
    #[arg(long, value_parser = duration)]
    pub wait: Option<Duration>,
    /// What each node takes in memory, part by part
    #[arg(long)]
    pub memory: bool,
    /// Where the time of each node's last start went
    #[arg(long, conflicts_with = "memory")]
    pub start: bool,
}

/// Arguments of `feed`.
#[derive(Debug, Args)]
pub struct FeedArgs {
    /// Whose feed
    #[arg(long)]
    pub viewer: u64,
    /// All that the viewer and the followed users wrote, back in time, instead of the ranked feed
    #[arg(long)]
    pub following: bool,
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
    /// Show everything that anybody was acknowledged before: each shard's leader asks a majority first
    #[arg(long)]
    pub strong: bool,
    /// Cursor of the page before
    #[arg(long, default_value = "", hide_default_value = true)]
    pub cursor: String,
    /// With a cursor: what is new since that page, instead of the next one
    #[arg(long, requires = "cursor")]
    pub new: bool,
    /// Time for the reply
    #[arg(long, value_parser = duration)]
    pub deadline: Option<Duration>,
}

impl FeedArgs {
    /// Which feed, as the API says it.
    pub(crate) fn kind(following: bool) -> FeedKind {
        if following {
            FeedKind::Following
        } else {
            FeedKind::ForYou
        }
    }
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Whose feed
    #[arg(long)]
    pub viewer: u64,
    /// The feed of followed users instead of the ranked one
    #[arg(long)]
    pub following: bool,
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
    /// Show everything that anybody was acknowledged before: each shard's leader asks a majority first
    #[arg(long)]
    pub strong: bool,
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
    /// Show everything that anybody was acknowledged before: each shard's leader asks a majority first
    #[arg(long)]
    pub strong: bool,
}

/// Arguments of `delete`.
#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// Posts, as author/post
    #[arg(required = true, value_parser = owned_post_key, value_name = "AUTHOR/POST")]
    pub posts: Vec<PostKey>,
}

/// What to do with shards.
#[derive(Debug, Subcommand)]
pub enum ShardCommand {
    /// Compare the replicas of shards; exit code 1 unless all are equal
    Check(ShardCheckArgs),
    /// Have another node lead a shard; writes wait for about a round trip, none is lost
    TransferLeader(TransferLeaderArgs),
    /// Move a replica to another node, while reads and writes go on
    Move(MoveArgs),
    /// Have a shard that has lost most of its replicas for good go on with one; LOSES writes that only the others had
    UnsafeRecover(UnsafeRecoverArgs),
}

/// Arguments of `shard check`.
#[derive(Debug, Args)]
pub struct ShardCheckArgs {
    /// Only this shard; may be repeated
    #[arg(long = "shard", value_name = "SHARD")]
    pub shards: Vec<u64>,
    /// Time for the reply; every replica reads all that it holds
    #[arg(long, value_parser = duration, default_value = "30s")]
    pub deadline: Duration,
}

/// What to do with builds and merges of vector indexes.
#[derive(Debug, Subcommand)]
pub enum BuildsCommand {
    /// Start none for a while; a restart of a node ends its pause too
    Pause {
        /// Only on this node; may be repeated
        #[arg(long = "node", value_name = "NODE")]
        nodes: Vec<u64>,
        /// For how long (30m, 2h), at most 24h
        #[arg(long = "for", value_parser = pause, default_value = "1h", value_name = "TIME")]
        pause: Duration,
    },
    /// End a pause
    Resume {
        /// Only on this node; may be repeated
        #[arg(long = "node", value_name = "NODE")]
        nodes: Vec<u64>,
    },
}

#[cfg(test)]
#[path = "args_test.rs"]
mod tests;
