//! Commands about the configuration.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::values::setting;

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Report everything that is wrong with a file, at once
    Check {
        /// The file
        #[arg(default_value = "cluster.toml")]
        file: PathBuf,
    },
    /// Show what is set, and what the file of the coordinator says
    Show {
        /// Show every key that can be set and begins so, whether it is set or not; "" shows all
        prefix: Option<String>,
    },
    /// Set keys on all coordinators while they serve: all of them, or none if one is wrong
    ///
    /// Keys that can be set are marked hot in cluster.toml. A business rule is set as a whole, or to off, or key by key.
    #[command(
        after_help = "Examples:\n  covey config set feed.oon_factor=0.5 feed.max_post_age=24h\n  \
        covey config set 'feed.rule.cup={ kind = \"boost\", topic = 7, factor = 1.5 }'\n  \
        covey config set feed.rule.cup.factor=2\n  covey config set feed.rule.cup=off\n  covey config unset feed.oon_factor"
    )]
    Set {
        /// Keys and their values
        #[arg(required = true, value_parser = setting, value_name = "KEY=VALUE")]
        settings: Vec<(String, String)>,
        /// How.
        #[command(flatten)]
        flags: SetFlags,
    },
    /// Have the file count again for keys that were set
    Unset {
        /// The keys; of a rule that was set as a whole its name, feed.rule.cup
        #[arg(required = true, value_name = "KEY")]
        keys: Vec<String>,
        /// How.
        #[command(flatten)]
        flags: SetFlags,
    },
}

/// What commands take that change settings.
#[derive(Clone, Debug, Default, Args)]
pub struct SetFlags {
    /// Change nothing; print what would change, or what is wrong
    #[arg(long)]
    pub dry_run: bool,
    /// Refuse it unless the settings are of this version still (`covey config show` says it)
    #[arg(long, value_name = "VERSION")]
    pub on: Option<u64>,
}
