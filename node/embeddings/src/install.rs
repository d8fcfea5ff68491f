//! Makes a partition of folders that were copied from another one.

use std::path::Path;

use covey_env::Disk;

use crate::error::PartitionError;
use crate::folder::{FolderId, IDS, INDEX, META, ROWS, io_error};
use crate::manifest::{FolderEntry, MANIFEST, Manifest};
use crate::space::SpaceSpec;

/// Names of the files of a folder, from the partition's directory: for example `000012/rows.emb`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderFiles {
    /// The vectors.
    pub rows: String,
    /// Whose they are.
    pub ids: String,
    /// What was measured of the index; may be missing.
    pub meta: String,
    /// The index; only beside `meta`.
    pub index: String,
}

impl FolderFiles {
    /// Of the folder of this number.
    pub fn of(folder: u32) -> Self {
        let name = |file| format!("{}/{file}", FolderId(folder).name());
        Self {
            rows: name(ROWS),
            ids: name(IDS),
            meta: name(META),
            index: name(INDEX),
        }
    }
}

/// Makes `dir` a partition of these folders, by number and rows, oldest rows first. Their files lie there and are
/// synced. Durable when it returns; open it then.
///
/// # Errors
/// [`PartitionError::NotInstallable`], and what the disk says. The files are checked when the partition is opened.
pub fn install(disk: &dyn Disk, dir: &Path, space: &SpaceSpec, folders: &[(u32, u32)]) -> Result<(), PartitionError> {
    let refused = |what| PartitionError::NotInstallable {
        dir: dir.to_owned(),
        what,
    };
    space.check()?;
    disk.create_dir_all(dir).map_err(|e| io_error(dir, e))?;
    if disk.exists(&dir.join(MANIFEST)).map_err(|e| io_error(dir, e))? {
        return Err(refused("there is a partition in it"));
    }
    let entry = |&(folder, rows): &(u32, u32)| FolderEntry {
        folder,
        rows,
        sealed: true,
    };
    let highest = folders.iter().map(|(folder, _)| *folder).max();
    let manifest = Manifest {
        // A number beyond the last one is refused below: it is not above itself.
        next_folder: highest.map_or(0, |highest| highest.saturating_add(1)),
        folders: folders.iter().map(entry).collect(),
    };
    if !manifest.is_sound() {
        return Err(refused("their numbers are not distinct"));
    }
    for (folder, _) in folders {
        let folder = FolderId(*folder).dir(dir);
        disk.sync_dir(&folder).map_err(|e| io_error(&folder, e))?;
    }
    disk.sync_dir(dir).map_err(|e| io_error(dir, e))?;
    manifest.write(disk, space, dir)
}

#[cfg(test)]
#[path = "install_test.rs"]
mod tests;
