//! The input formats, one file each.

mod fvecs;
mod hackernews;
mod higgs;
mod jsonl;
mod world;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use fvecs::FvecsOptions;
pub use higgs::HiggsOptions;
pub(crate) use higgs::next_retweeted;
pub use world::records as world_records;

use super::files::OpenError;
use super::source::Source;
use crate::world::World;

/// What to load. It can be opened more than once and gives the same rows each time, except for the standard input.
#[derive(Clone, Debug)]
pub enum Format {
    /// The generated world.
    World(Arc<World>),
    /// Records in the JSON of the API.
    Jsonl(PathBuf),
    /// Stories of Hacker News.
    HackerNews {
        /// The CSV file.
        path: PathBuf,
        /// Record each story as a favourite of its author.
        own_history: bool,
    },
    /// Timed actions of the Higgs data set.
    Higgs {
        /// The activity file.
        path: PathBuf,
        /// What to make of it.
        options: HiggsOptions,
    },
    /// Vectors.
    Fvecs {
        /// The file.
        path: PathBuf,
        /// What it does not say.
        options: FvecsOptions,
    },
}

impl Format {
    /// Opens it at its start.
    pub fn open(&self) -> Result<Source, OpenError> {
        match self {
            Format::World(world) => Ok(world::open(Arc::clone(world))),
            Format::Jsonl(path) => jsonl::open(path),
            Format::HackerNews { path, own_history } => hackernews::open(path, *own_history),
            Format::Higgs { path, options } => higgs::open(path, options),
            Format::Fvecs { path, options } => fvecs::open(path, options),
        }
    }

    /// Its name on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Format::World(_) => "world",
            Format::Jsonl(_) => "jsonl",
            Format::HackerNews { .. } => "hackernews",
            Format::Higgs { .. } => "higgs",
            Format::Fvecs { .. } => "fvecs",
        }
    }

    /// The file, if it is one: not a world, not the standard input.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Format::World(_) => None,
            Format::Jsonl(path) if path == Path::new("-") => None,
            Format::Jsonl(path)
            | Format::HackerNews { path, .. }
            | Format::Higgs { path, .. }
            | Format::Fvecs { path, .. } => Some(path),
        }
    }

    /// What tells one load from another: a checkpoint counts rows, and every option that changes the rows is named.
    pub(crate) fn identity(&self) -> String {
        let file = self
            .file()
            .map_or_else(|| "-".to_owned(), |file| file.display().to_string());
        let name = self.name();
        match self {
            Format::World(world) => {
                let spec = world.spec();
                format!(
                    "world users {} posts {} sessions {} seed {} hours {} until {}",
                    spec.users, spec.posts, spec.sessions, spec.seed, spec.hours, spec.now_ms
                )
            }
            Format::Jsonl(_) => format!("{name} {file}"),
            Format::HackerNews { own_history, .. } => format!("{name} {file} own history {own_history}"),
            Format::Higgs { options, .. } => {
                let before = options.before.map_or("the end".to_owned(), |before| before.to_string());
                format!("{name} {file} before {before} dim {}", options.dim)
            }
            Format::Fvecs { options, .. } => {
                let words = options.words.is_some();
                format!(
                    "{name} {file} words {words} dim {} authors {}",
                    options.dim, options.authors
                )
            }
        }
    }
}

#[cfg(test)]
#[path = "mod_test.rs"]
mod tests;
