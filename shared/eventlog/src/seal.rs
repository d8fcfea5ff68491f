//! Sealing: the frames of an hour that is over become one Parquet file. The same is done at the end of an hour and with what a
//! crash has left, so there is one way only.
//!
//! 1. What is sealed already, but whose frames a crash has brought back, loses its frames.
//! 2. The whole frames become a table in a file of another name, which is synced.
//! 3. It is renamed into its partition; readers see all of it or nothing.
//! 4. Its frames are removed, and only then may the budget take the sealed file: else they would come back as another one.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use covey_env::{Disk, OpenMode};
use parquet::errors::ParquetError;
use thiserror::Error;

use crate::counters::{Counters, add};
use crate::files::{FrameFile, Kind, is_temporary};
use crate::frames::{FrameError, rows, scan};
use crate::rows::{ActionRow, Row, ServedRow};
use crate::table::Encoder;

/// A file of frames is never longer, by far; what is, is not ours.
const MAX_FILE: u64 = 1 << 30;

/// Why the log could not do something.
#[derive(Debug, Error)]
pub(crate) enum WriteError {
    #[error("{}", path.display())]
    Disk { path: PathBuf, source: io::Error },
    #[error("{} cannot be sealed", path.display())]
    Table { path: PathBuf, source: ParquetError },
    #[error("{} holds what this release cannot read; it stays where it is", path.display())]
    Unreadable { path: PathBuf, source: FrameError },
    #[error("all places in {} are taken; has each coordinator of this machine its own event_log.dir?", dir.display())]
    NoPlace { dir: PathBuf },
}

/// Says on which path an operation failed.
pub(crate) fn on(path: &Path) -> impl FnOnce(io::Error) -> WriteError + '_ {
    |source| WriteError::Disk {
        path: path.to_owned(),
        source,
    }
}

/// Seals what lies in a place, but for the files that are still written. One that cannot be sealed does not hold up the others;
/// the first error is returned, and all is tried again next time.
pub(crate) fn seal_all(
    disk: &dyn Disk,
    root: &Path,
    place: &Path,
    written: &[PathBuf],
    counters: &Counters,
) -> Result<(), WriteError> {
    let mut first = Ok(());
    for entry in disk.list(place).map_err(on(place))? {
        let path = entry.path;
        let done = match FrameFile::parse(&path) {
            Some(_) if written.contains(&path) => Ok(()),
            Some(file) => seal(disk, root, place, &file, counters),
            None if is_temporary(&path) => disk.remove_file(&path).map_err(on(&path)),
            None => Ok(()),
        };
        first = first.and(done);
    }
    first
}

fn seal(disk: &dyn Disk, root: &Path, place: &Path, file: &FrameFile, counters: &Counters) -> Result<(), WriteError> {
    let (path, sealed) = (file.path(place), file.sealed(root));
    let torn = if disk.exists(&sealed).map_err(on(&sealed))? {
        // Whoever renamed it may have ended before the name was synced: until then the frames are all that a power loss leaves.
        if let Some(partition) = sealed.parent() {
            disk.sync_dir(partition).map_err(on(partition))?;
        }
        // Read once more, so that what was torn is counted wherever sealing ended. What cannot be read is not counted, and goes all
        // the same: its rows are sealed.
        let content = disk.read_file(&path, MAX_FILE).unwrap_or_default();
        scan(&content).map_or(0, |bodies| torn(&content, &bodies))
    } else {
        let content = disk.read_file(&path, MAX_FILE).map_err(on(&path))?;
        let (table, torn) = match file.kind {
            Kind::Served => table::<ServedRow>(&content, &path, counters)?,
            Kind::Actions => table::<ActionRow>(&content, &path, counters)?,
        };
        if let Some(table) = table {
            let temporary = file.temporary(place);
            write_synced(disk, &temporary, &table).map_err(on(&temporary))?;
            if let Some(partition) = sealed.parent() {
                disk.create_dir_all(partition).map_err(on(partition))?;
            }
            disk.rename(&temporary, &sealed).map_err(on(&sealed))?;
            add(&counters.sealed_files, 1);
        }
        torn
    };
    disk.remove_file(&path).map_err(on(&path))?;
    // Not before: whatever failed is tried again, and would be counted again.
    add(&counters.torn_bytes, torn);
    disk.sync_dir(place).map_err(on(place))
}

/// The rows of the whole frames as a Parquet file, or `None` if there are none, and the bytes behind them. All of the rows or an
/// error: what cannot be read now, another release may read.
fn table<R: Row>(content: &[u8], path: &Path, counters: &Counters) -> Result<(Option<Vec<u8>>, u64), WriteError> {
    let failed = |source| WriteError::Table {
        path: path.to_owned(),
        source,
    };
    let unreadable = |source| {
        add(&counters.unreadable_files, 1);
        let path = path.to_owned();
        WriteError::Unreadable { path, source }
    };
    let bodies = scan(content).map_err(unreadable)?;
    let mut encoder = Encoder::<R>::new().map_err(failed)?;
    for body in &bodies {
        let rows = rows(&content[body.clone()]).map_err(|error| unreadable(error.into()))?;
        encoder.push(rows).map_err(failed)?;
    }
    let (table, written) = encoder.finish().map_err(failed)?;
    Ok(((written > 0).then_some(table), torn(content, &bodies)))
}

/// Bytes behind the whole frames.
fn torn(content: &[u8], bodies: &[Range<usize>]) -> u64 {
    let whole = bodies.last().map_or(0, |body| body.end);
    (content.len() - whole) as u64
}

fn write_synced(disk: &dyn Disk, path: &Path, content: &[u8]) -> io::Result<()> {
    if disk.exists(path)? {
        disk.remove_file(path)?;
    }
    let file = disk.open(path, OpenMode::CreateNew)?;
    file.write_at(content, 0)?;
    file.sync_all()
}

#[cfg(test)]
#[path = "seal_test.rs"]
mod tests;
