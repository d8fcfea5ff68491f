//! Places: the directory in which a process keeps its open files, its own by a lock, beside those of other processes.

use std::io;
use std::path::{Path, PathBuf};

use covey_env::{Disk, DiskLock};

use crate::budget::{Sealed, Taken};
use crate::files::{Kind, hour_of, is_parquet, places};
use crate::seal::{WriteError, on};

/// A place that is ours until this is dropped.
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    _lock: DiskLock,
}

/// Processes of one machine that may share a directory.
const PLACES: usize = 16;

/// All that there may be.
pub(crate) fn all(root: &Path) -> impl Iterator<Item = PathBuf> {
    let places = places(root);
    (0..PLACES).map(move |n| places.join(n.to_string()))
}

/// Takes one that no other process has.
///
/// # Errors
/// None can be used: the disk, or too many processes share the directory.
pub(crate) fn take(disk: &dyn Disk, root: &Path) -> Result<Place, WriteError> {
    let mut failed = None;
    for path in all(root) {
        match lock(disk, &path) {
            Ok(Some(_lock)) => return Ok(Place { path, _lock }),
            Ok(None) => {}
            // Perhaps another user's: the next one may do.
            Err(error) => failed = failed.or(Some(on(&path)(error))),
        }
    }
    Err(failed.unwrap_or(WriteError::NoPlace { dir: root.to_owned() }))
}

/// The lock of a place that exists; `None` if there is no such place, or another process has it.
pub(crate) fn lock_existing(disk: &dyn Disk, place: &Path) -> io::Result<Option<DiskLock>> {
    if disk.exists(place)? {
        lock(disk, place)
    } else {
        Ok(None)
    }
}

fn lock(disk: &dyn Disk, place: &Path) -> io::Result<Option<DiskLock>> {
    disk.create_dir_all(place)?;
    match disk.lock_exclusive(place) {
        Ok(lock) => Ok(Some(lock)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

/// What the log of all processes has on the disk.
pub(crate) fn taken(disk: &dyn Disk, root: &Path) -> Result<Taken, WriteError> {
    let mut taken = Taken::default();
    for (place, _) in list(disk, &places(root))? {
        taken.open += list(disk, &place)?.iter().map(|(_, bytes)| bytes).sum::<u64>();
    }
    for kind in Kind::ALL {
        for (partition, _) in list(disk, &root.join(kind.as_str()))? {
            let Some(hour) = hour_of(&partition) else { continue };
            let files = list(disk, &partition)?.into_iter().filter(|(path, _)| is_parquet(path));
            taken.sealed.extend(files.filter_map(|(path, bytes)| {
                let name = path.file_name()?.to_str()?.to_owned();
                Some(Sealed {
                    hour,
                    name,
                    path,
                    bytes,
                })
            }));
        }
    }
    Ok(taken)
}

/// Files of a directory with their lengths; one that is gone has none.
fn list(disk: &dyn Disk, dir: &Path) -> Result<Vec<(PathBuf, u64)>, WriteError> {
    match disk.list(dir) {
        Ok(entries) => Ok(entries.into_iter().map(|entry| (entry.path, entry.len)).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(on(dir)(error)),
    }
}

#[cfg(test)]
#[path = "places_test.rs"]
mod tests;
