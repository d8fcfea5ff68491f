//! `covey load`: from an input to the cluster, resumable, in bounded memory, with bad rows counted and never fatal.

mod calendar;
mod checkpoint;
mod engine;
mod files;
mod formats;
mod group;
mod prefix;
mod send;
mod source;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use thiserror::Error;

pub use checkpoint::CheckpointError;
pub use engine::LoadError;
pub use files::OpenError;
pub(crate) use formats::next_retweeted;
pub use formats::{Format, FvecsOptions, HiggsOptions, world_records};
pub use send::SendError;
pub(crate) use send::is_worth_a_retry;
pub use source::{BytesRead, Content, Row, Source, Total};

use crate::client::Client;
use crate::progress::Spinner;
use checkpoint::{Checkpoint, CheckpointFile};

/// How to load.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Items per request, 1 ..= the cluster's `limits.batch_items`.
    pub batch: usize,
    /// Requests under way at once, ≥ 1.
    pub concurrency: usize,
    /// How long a batch may fail before the load stops.
    pub patience: Duration,
    /// Where the checkpoint lies; `None` = no checkpoint.
    pub state: Option<PathBuf>,
    /// Move all times so that the newest record is now.
    pub rebase_to_ms: Option<u64>,
    /// Only the first rows.
    pub limit: Option<u64>,
    /// Bad rows to report one by one.
    pub show_bad: usize,
}

impl Default for LoadOptions {
    fn default() -> Self {
        LoadOptions {
            batch: 500,
            concurrency: 8,
            patience: Duration::from_secs(60),
            state: None,
            rebase_to_ms: None,
            limit: None,
            show_bad: 10,
        }
    }
}

/// What was loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Rows of the input up to its end, bad ones and those of an earlier run included.
    pub rows: u64,
    /// Where an earlier run had stopped.
    pub resumed_at: u64,
    /// Users written in this run.
    pub users: u64,
    /// Posts written in this run.
    pub posts: u64,
    /// Actions recorded in this run.
    pub actions: u64,
    /// Batches sent again.
    pub retries: u64,
    /// Rows that are not in the cluster because something is wrong with them.
    pub bad: u64,
    /// The first of them: line and reason.
    pub first_bad: Vec<(u64, String)>,
    /// By how much times were moved, in milliseconds.
    pub shift_ms: i64,
    /// Wall time of this run.
    pub elapsed: Duration,
    /// Of that, from the first post sent to the last one acknowledged.
    pub posting: Duration,
}

impl Report {
    /// Posts acknowledged per second, while posts were written.
    pub fn posts_per_s(&self) -> f64 {
        if self.posts == 0 {
            0.0
        } else {
            self.posts as f64 / self.posting.as_secs_f64().max(1e-3)
        }
    }
}

/// Why a load failed.
#[derive(Debug, Error)]
pub enum Error {
    /// The input cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It did not come to its end.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A pipe can be read only once.
    #[error("--rebase-time reads the input twice, which the standard input does not allow; give a file")]
    RebasePipe,
}

/// Loads `format` by way of the coordinator behind `client`.
pub async fn load(client: Client, format: &Format, options: &LoadOptions) -> Result<Report, Error> {
    let file = options.state.clone().map(CheckpointFile::new);
    let input = format.identity();
    let found = match &file {
        Some(file) => file.read(&input).map_err(LoadError::from)?,
        None => None,
    };
    let start = match found {
        Some(found) => found,
        None => Checkpoint {
            shift_ms: shift(format, options)?,
            client_id: xxhash_rust::xxh3::xxh3_64(input.as_bytes()) | 1,
            input,
            ..Checkpoint::default()
        },
    };
    if let Some(file) = &file {
        file.write(&start).map_err(LoadError::from)?;
    }
    Ok(engine::run(client, format.open()?, start, file, options).await?)
}

/// By how much times move.
fn shift(format: &Format, options: &LoadOptions) -> Result<i64, Error> {
    let Some(now_ms) = options.rebase_to_ms else {
        return Ok(0);
    };
    if matches!(format, Format::Jsonl(path) if path == Path::new("-")) {
        return Err(Error::RebasePipe);
    }
    let spinner = Spinner::start("looking for the newest record");
    let started = Instant::now();
    let mut newest = None;
    for row in format.open()?.rows {
        if let Content::Record(record) = row.content {
            newest = newest.max(record.time_ms());
        }
    }
    spinner.done(started.elapsed());
    Ok(newest.map_or(0, |newest| now_ms as i64 - newest as i64))
}
