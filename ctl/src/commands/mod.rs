//! The commands, one file each. A command ends in an [`Outcome`]; errors are for `main` to print.

mod builds;
mod cluster;
mod config;
mod events;
mod explain;
mod feed;
mod following;
mod load;
mod operations;
mod posts;
mod search;
mod shard;
mod status;
mod watch;
mod world;

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use serde::Serialize;

use crate::args::{BuildsCommand, Cli, Command, EvaluateCommand, OutputFormat, ShardCommand};
use crate::client::Client;
use crate::demo;
use crate::evaluate;
use crate::render::text::{self, Style};

pub(crate) use load::summary as load_summary;
pub(crate) use status::fetch as fetch_status;
pub(crate) use world::build as build_world;

/// How a command that ran to its end went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As wished.
    Done,
    /// It ran, but what it found or did is not as wished: exit code 1.
    NotGood,
    /// What was watched has not ended in the time for that: exit code 3.
    StillRunning,
    /// Somebody had seen enough: exit code 130.
    Interrupted,
}

impl Outcome {
    pub(crate) fn good(good: bool) -> Outcome {
        if good { Outcome::Done } else { Outcome::NotGood }
    }
}

/// What every command is given.
pub(crate) struct Context {
    server: String,
    /// Who asks.
    pub(crate) by: String,
    pub(crate) format: OutputFormat,
    pub(crate) style: Style,
}

impl Context {
    pub(crate) async fn connect(&self) -> Result<Client> {
        Ok(Client::connect(&self.server).await?)
    }

    /// Prints a reply as JSON if that is wanted, else what `human` makes of it.
    pub(crate) fn show<T: Serialize>(&self, reply: &T, human: impl FnOnce() -> String) -> Result<()> {
        match self.format {
            OutputFormat::Json => text::print(&(serde_json::to_string(reply)? + "\n"))?,
            OutputFormat::Human | OutputFormat::Plain => text::print(&human())?,
        }
        Ok(())
    }

    /// Prints lines that are no data: to stderr if stdout is for JSON.
    fn remark(&self, lines: &str) -> Result<()> {
        match self.format {
            OutputFormat::Json => eprint!("{lines}"),
            OutputFormat::Human | OutputFormat::Plain => text::print(lines)?,
        }
        Ok(())
    }
}

/// Runs one command.
pub async fn run(cli: Cli) -> Result<Outcome> {
    let context = Context {
        server: cli.server,
        by: cli.by,
        format: cli.format,
        style: Style::of_stdout(),
    };
    match cli.command {
        Command::Status(args) => status::run(&context, &args).await,
        Command::Feed(args) => feed::run(&context, args).await,
        Command::Explain(args) => explain::run(&context, args).await,
        Command::Search(args) => search::run(&context, args).await,
        Command::Put(args) => posts::put(&context, args).await,
        Command::Get(args) => posts::get(&context, args).await,
        Command::Delete(args) => posts::delete(&context, args).await,
        Command::Load(args) => load::run(&context, args).await,
        Command::World(args) => world::run(&args),
        Command::Demo(args) => demo::run(&context, args).await,
        Command::Bench(args) => demo::bench(&context, *args).await,
        Command::Evaluate(EvaluateCommand::Higgs(args)) => evaluate::run(&context, &args).await,
        Command::Shard(ShardCommand::Check(args)) => shard::check(&context, args).await,
        Command::Shard(ShardCommand::TransferLeader(args)) => operations::transfer_leader(&context, args).await,
        Command::Shard(ShardCommand::Move(args)) => operations::move_replica(&context, args).await,
        Command::Shard(ShardCommand::UnsafeRecover(args)) => operations::unsafe_recover(&context, args).await,
        Command::Nodes => cluster::nodes(&context).await,
        Command::Shards => cluster::shards(&context).await,
        Command::Operations(args) => cluster::operations(&context, &args).await,
        Command::Audit(args) => cluster::audit(&context, &args).await,
        Command::Watch(args) => watch::run(&context, &args).await,
        Command::Cancel { operation } => operations::cancel(&context, operation).await,
        Command::Node(command) => operations::node(&context, command).await,
        Command::Builds(BuildsCommand::Pause { nodes, pause }) => builds::pause(&context, nodes, pause).await,
        Command::Builds(BuildsCommand::Resume { nodes }) => builds::resume(&context, nodes).await,
        Command::Events(args) => events::run(&context, &args),
        Command::Config(command) => config::run(&context, command).await,
    }
}

/// Milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}
