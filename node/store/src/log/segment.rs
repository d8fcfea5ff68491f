//! Segment files: their names, how one is made ready, how an old one is used again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use covey_env::{Disk, DiskFile, OpenMode};

use super::LogError;
use super::codec::SegmentHeader;
use super::error::io_at;

/// A write of zeros while preallocating.
const ZERO_CHUNK: usize = 1 << 20;

/// The names in a log's directory, sorted.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) segments: Vec<u64>,
    pub(super) spares: Vec<PathBuf>,
    /// Files that a crash left half made.
    pub(super) leftovers: Vec<PathBuf>,
}

pub(super) fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:016}.wal"))
}

/// The name of segment `number` once nobody needs its content.
fn spare_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:016}.spare"))
}

/// A segment on its way to its name.
fn unfinished_path(dir: &Path) -> PathBuf {
    dir.join("next.tmp")
}

pub(super) fn names(disk: &dyn Disk, dir: &Path) -> Result<Names, LogError> {
    let mut names = Names::default();
    for entry in disk.list(dir).map_err(io_at("list the log directory", dir))? {
        let extension = entry.path.extension().and_then(|extension| extension.to_str());
        let stem = entry.path.file_stem().and_then(|stem| stem.to_str());
        match (stem.and_then(|stem| stem.parse::<u64>().ok()), extension) {
            (Some(number), Some("wal")) => names.segments.push(number),
            (Some(_), Some("spare")) => names.spares.push(entry.path),
            (_, Some("tmp")) => names.leftovers.push(entry.path),
            _ => {}
        }
    }
    Ok(names)
}

/// Makes the segment of `header` and opens it. A file gets its final name only when its header is durable, so a bad
/// header under a final name is damage and never a crash.
pub(super) fn create(
    disk: &dyn Disk,
    dir: &Path,
    header: &SegmentHeader,
    segment_bytes: usize,
    spare: Option<PathBuf>,
) -> Result<Arc<dyn DiskFile>, LogError> {
    let unfinished = unfinished_path(dir);
    match spare {
        Some(spare) => {
            disk.rename(&spare, &unfinished)
                .map_err(io_at("take up the spare segment", &spare))?;
            let file = disk
                .open(&unfinished, OpenMode::ReadWrite)
                .map_err(io_at("open", &unfinished))?;
            let write = io_at("write the header of", &unfinished);
            file.write_at(&header.encode().0, 0)
                .and_then(|()| file.sync_all())
                .map_err(write)?;
        }
        None => preallocate(disk, &unfinished, header, segment_bytes)?,
    }
    let path = path(dir, header.number);
    disk.rename(&unfinished, &path).map_err(io_at("put in place", &path))?;
    disk.open(&path, OpenMode::ReadWrite).map_err(io_at("open", &path))
}

/// Real zeros, not a hole: later syncs then have no metadata to write.
fn preallocate(disk: &dyn Disk, path: &Path, header: &SegmentHeader, bytes: usize) -> Result<(), LogError> {
    if disk.exists(path).map_err(io_at("look for", path))? {
        disk.remove_file(path).map_err(io_at("remove", path))?;
    }
    let file = disk.open(path, OpenMode::CreateNew).map_err(io_at("create", path))?;
    let zeros = vec![0; ZERO_CHUNK.min(bytes)];
    let mut at = 0;
    while at < bytes {
        let chunk = zeros.len().min(bytes - at);
        file.write_at(&zeros[..chunk], at as u64)
            .map_err(io_at("preallocate", path))?;
        at += chunk;
    }
    file.write_at(&header.encode().0, 0)
        .map_err(io_at("write the header of", path))?;
    file.sync_all().map_err(io_at("sync", path))
}

/// Gives up a segment that nobody needs, durably: as a spare, or for good. Returns the spare.
pub(super) fn retire(disk: &dyn Disk, dir: &Path, number: u64, keep: bool) -> Result<Option<PathBuf>, LogError> {
    let old = path(dir, number);
    if keep {
        let spare = spare_path(dir, number);
        disk.rename(&old, &spare).map_err(io_at("retire", &old))?;
        return Ok(Some(spare));
    }
    disk.remove_file(&old).map_err(io_at("remove", &old))?;
    // One sync per removal: were they lost out of order, a segment in the middle would seem to be missing.
    disk.sync_dir(dir).map_err(io_at("sync", dir))?;
    Ok(None)
}
