//! Where files lie and what their names say. Pure.
//!
//! ```text
//! served/hour=2026-11-23T16/<stem>.parquet     sealed; actions/ likewise
//! open/<place>/<kind>-<hour>-<stem>.frames     rows of an hour that is not over, or was left by a crash
//! open/<place>/<stem>.tmp                      on its way to be sealed; worth nothing after a crash
//! ```
//! A place belongs to one process at a time, by the lock of its directory. A stem is given once for ever: it holds the time at
//! which the file was begun and a random number, and the sealed file has that of its frames. So a file that is both is known.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::hour::Hour;

const FRAMES: &str = "frames";
const PARQUET: &str = "parquet";
const TEMPORARY: &str = "tmp";
const PARTITION: &str = "hour=";

/// A table of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Posts that feeds showed.
    Served,
    /// What viewers did.
    Actions,
}

impl Kind {
    /// Both.
    pub const ALL: [Kind; 2] = [Kind::Served, Kind::Actions];

    /// Its name, which is that of its folder.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Served => "served",
            Kind::Actions => "actions",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the name of a file of frames says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FrameFile {
    pub(crate) kind: Kind,
    pub(crate) hour: Hour,
    pub(crate) stem: String,
}

impl FrameFile {
    /// A new one; no other ever has its stem.
    pub(crate) fn new(kind: Kind, unix_ms: u64, random: u64) -> FrameFile {
        FrameFile {
            kind,
            hour: Hour::at(unix_ms),
            // Padded, so that files of one hour sort as they were begun.
            stem: format!("{unix_ms:015}-{random:016x}"),
        }
    }

    /// Its path in a place.
    pub(crate) fn path(&self, place: &Path) -> PathBuf {
        place.join(format!("{}-{}-{}.{FRAMES}", self.kind, self.hour, self.stem))
    }

    /// The Parquet file that it becomes.
    pub(crate) fn sealed(&self, root: &Path) -> PathBuf {
        partition(root, self.kind, self.hour).join(format!("{}.{PARQUET}", self.stem))
    }

    /// The Parquet file while it is written.
    pub(crate) fn temporary(&self, place: &Path) -> PathBuf {
        place.join(format!("{}.{TEMPORARY}", self.stem))
    }

    /// Reads a path; `None` if it is no file of frames.
    pub(crate) fn parse(path: &Path) -> Option<FrameFile> {
        let name = path.file_name()?.to_str()?.strip_suffix(&format!(".{FRAMES}"))?;
        let (kind, rest) = name.split_once('-')?;
        let hour = rest.get(..13)?;
        Some(FrameFile {
            kind: Kind::parse(kind)?,
            hour: Hour::parse(hour)?,
            stem: rest.get(14..)?.to_owned(),
        })
    }
}

/// The folder of a sealed hour.
pub(crate) fn partition(root: &Path, kind: Kind, hour: Hour) -> PathBuf {
    root.join(kind.as_str()).join(format!("{PARTITION}{hour}"))
}

/// The hour of a folder of sealed files.
pub(crate) fn hour_of(partition: &Path) -> Option<Hour> {
    Hour::parse(partition.file_name()?.to_str()?.strip_prefix(PARTITION)?)
}

/// The folder of all places.
pub(crate) fn places(root: &Path) -> PathBuf {
    root.join("open")
}

pub(crate) fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == PARQUET)
}

pub(crate) fn is_temporary(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == TEMPORARY)
}

#[cfg(test)]
#[path = "files_test.rs"]
mod tests;
