//! The list of live folders, replaced as a whole.

use std::path::Path;

use bincode::{Decode, Encode};
use covey_env::Disk;
use covey_shared::codec::{decode_versioned, encode_versioned};

use crate::envelope::{self, FORMAT, FileKind};
use crate::error::PartitionError;
use crate::folder::{FolderId, io_error};
use crate::space::SpaceSpec;

/// The file of a partition that lists its folders. It is there for good when the first open returns.
pub const MANIFEST: &str = "MANIFEST";
/// A folder takes 9 bytes: room for more folders than a partition can have.
const MAX_BYTES: u64 = 1 << 20;

/// One live folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(crate) struct FolderEntry {
    pub(crate) folder: u32,
    /// Rows that were fsynced; the files are cut to them at open.
    pub(crate) rows: u32,
    /// Sealed: never appended to again.
    pub(crate) sealed: bool,
}

/// The live folders, oldest rows first, and the next free number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Manifest {
    pub(crate) next_folder: u32,
    pub(crate) folders: Vec<FolderEntry>,
}

impl Manifest {
    /// Reads it. Makes an empty one in a new partition: where there are folders without one it is lost, and nobody may
    /// take them for leftovers.
    pub(crate) fn open(disk: &dyn Disk, space: &SpaceSpec, dir: &Path) -> Result<Self, PartitionError> {
        if let Some(manifest) = Self::read(disk, space, dir)? {
            return Ok(manifest);
        }
        let entries = disk.list(dir).map_err(|error| io_error(dir, error))?;
        if entries.iter().any(|entry| FolderId::of_path(&entry.path).is_some()) {
            return Err(PartitionError::Damaged {
                path: dir.join(MANIFEST),
                what: "it is missing, but there are folders",
            });
        }
        let empty = Self::default();
        empty.write(disk, space, dir)?;
        Ok(empty)
    }

    /// What the file says; `None` if there is none.
    pub(crate) fn read(disk: &dyn Disk, space: &SpaceSpec, dir: &Path) -> Result<Option<Self>, PartitionError> {
        let path = dir.join(MANIFEST);
        let Some(body) = envelope::read(disk, FileKind::Manifest, space, &path, MAX_BYTES)? else {
            return Ok(None);
        };
        let manifest: Self = decode_versioned(FORMAT, &body).map_err(|error| envelope::refuse(&path, &error))?;
        if manifest.is_sound() {
            return Ok(Some(manifest));
        }
        Err(PartitionError::Damaged {
            path,
            what: "its folder numbers are not distinct",
        })
    }

    /// Whether its numbers are distinct and the next one is free.
    pub(crate) fn is_sound(&self) -> bool {
        let mut numbers: Vec<u32> = self.folders.iter().map(|entry| entry.folder).collect();
        numbers.sort_unstable();
        let distinct = numbers.windows(2).all(|pair| pair[0] != pair[1]);
        distinct && numbers.last().is_none_or(|&last| last < self.next_folder)
    }

    /// Replaces the file; durable when it returns.
    pub(crate) fn write(&self, disk: &dyn Disk, space: &SpaceSpec, dir: &Path) -> Result<(), PartitionError> {
        let body = encode_versioned(FORMAT, self).expect("a list of folders can be encoded");
        envelope::write(disk, FileKind::Manifest, space, &dir.join(MANIFEST), &body)
    }
}

#[cfg(test)]
#[path = "manifest_test.rs"]
mod tests;
