//! How far a load has come, in a small file, so that an interrupted one goes on where it was.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The content of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Checkpoint {
    /// What is loaded; a file of something else is refused.
    pub(crate) input: String,
    /// Rows from the start that are all done.
    pub(crate) rows: u64,
    /// By how much times are moved, so that a resumed load moves them by the same.
    pub(crate) shift_ms: i64,
    /// Client id of the actions: the same again counts once.
    pub(crate) client_id: u64,
    /// Bad rows among them.
    pub(crate) bad: u64,
}

/// A checkpoint that cannot be used.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// The file cannot be read or written.
    #[error("cannot use the checkpoint {}; name another with --state, or load without one with --no-state", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is of another load.
    #[error(
        "the checkpoint {} belongs to another load ({found}); delete it, or name another with --state",
        path.display()
    )]
    Other {
        /// The file.
        path: PathBuf,
        /// What it is of.
        found: String,
    },
    /// It is no checkpoint.
    #[error("{} is no checkpoint; delete it, or name another file with --state", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
}

/// A checkpoint and where it lies.
#[derive(Debug)]
pub(crate) struct CheckpointFile {
    path: PathBuf,
}

impl CheckpointFile {
    pub(crate) fn new(path: PathBuf) -> CheckpointFile {
        CheckpointFile { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads it, if it is there. An unwritable place is an error now, not after an hour.
    pub(crate) fn read(&self, input: &str) -> Result<Option<Checkpoint>, CheckpointError> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.io(error)),
        };
        let found: Checkpoint = serde_json::from_str(&text).map_err(|source| CheckpointError::Content {
            path: self.path.clone(),
            source,
        })?;
        if found.input != input {
            return Err(CheckpointError::Other {
                path: self.path.clone(),
                found: found.input,
            });
        }
        Ok(Some(found))
    }

    /// Replaces it: written beside and renamed, so that a crash leaves the old or the new one.
    pub(crate) fn write(&self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        let mut beside = self.path.clone().into_os_string();
        beside.push(".new");
        let text = serde_json::to_string(checkpoint).expect("numbers and a text have a JSON form");
        fs::write(&beside, text + "\n").map_err(|e| self.io(e))?;
        fs::rename(&beside, &self.path).map_err(|e| self.io(e))
    }

    /// The load is complete: loading again starts anew.
    pub(crate) fn remove(&self) -> Result<(), CheckpointError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.io(error)),
            _ => Ok(()),
        }
    }

    fn io(&self, source: io::Error) -> CheckpointError {
        CheckpointError::Io {
            path: self.path.clone(),
            source,
        }
    }
}

#[cfg(test)]
#[path = "checkpoint_test.rs"]
mod tests;
