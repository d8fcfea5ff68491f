//! The arguments of `events`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use covey_eventlog::{Hour, Kind};

/// Arguments of `events`.
#[derive(Debug, Args)]
pub struct EventsArgs {
    /// Directory of the log: event_log.dir
    #[arg(long, default_value = "data/events", value_name = "DIR")]
    pub dir: PathBuf,
    /// Which table
    #[arg(long, value_enum, default_value = "served")]
    pub kind: EventKind,
    /// Hour of the partition, as 2026-11-23T16 (UTC); default: the newest
    #[arg(long, value_parser = hour, value_name = "HOUR")]
    pub hour: Option<Hour>,
    /// Rows wanted
    #[arg(long, default_value_t = 20)]
    pub limit: usize,
}

/// A table of the event log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EventKind {
    /// Posts that feeds showed.
    Served,
    /// What viewers did.
    Actions,
}

impl From<EventKind> for Kind {
    fn from(kind: EventKind) -> Kind {
        match kind {
            EventKind::Served => Kind::Served,
            EventKind::Actions => Kind::Actions,
        }
    }
}

fn hour(text: &str) -> Result<Hour, String> {
    Hour::parse(text).ok_or_else(|| "not an hour; write it as 2026-11-23T16".to_owned())
}
