//! Rows read through a shared memory map: no system call, no copy. One of the two homes of `unsafe`.
//!
//! A page that the disk cannot read is a page of zeros ([`MmapRowFile::faulted_pages`] counts them): rows are to be checked by their
//! checksums.
#![allow(unsafe_code, reason = "a memory map can only be read through a raw pointer")]

mod fault;

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::Path;

use covey_env::Disk;
use memmap2::{MmapOptions, MmapRaw};

use self::fault::Guarded;
use super::file::Rows;
use super::{RowError, RowFile, RowFileSpec};

/// The production form of a [`RowFile`]. Appends go through `pwrite`, which Linux keeps coherent with shared maps.
pub struct MmapRowFile {
    rows: Rows,
    /// Before `map`: fields are dropped in this order.
    guarded: Guarded,
    /// The file as long as it was at opening, read-only.
    map: MmapRaw,
}

impl MmapRowFile {
    /// Makes a new file. Its name is durable at the return.
    ///
    /// # Errors
    /// The name is taken, the spec cannot be, the disk failed, or its files cannot be mapped.
    pub fn create(disk: &dyn Disk, path: &Path, spec: RowFileSpec) -> Result<MmapRowFile, RowError> {
        MmapRowFile::map(Rows::create(disk, path, spec)?)
    }

    /// Opens a file of which the first `len` rows count.
    ///
    /// # Errors
    /// The header is damaged, the file is too short, the disk failed, or its files cannot be mapped.
    pub fn open(disk: &dyn Disk, path: &Path, len: u64) -> Result<MmapRowFile, RowError> {
        MmapRowFile::map(Rows::open(disk, path, len)?)
    }

    fn map(rows: Rows) -> Result<MmapRowFile, RowError> {
        let path = || rows.path().to_owned();
        let descriptor = rows
            .file
            .descriptor()
            .ok_or_else(|| RowError::NotMappable { path: path() })?;
        let io = |source: io::Error| RowError::Io {
            what: "map",
            path: path(),
            source,
        };
        let map = MmapOptions::new().map_raw_read_only(&descriptor).map_err(io)?;
        let guarded = Guarded::new(map.as_ptr(), map.len()).map_err(io)?;
        Ok(MmapRowFile { rows, guarded, map })
    }

    /// Pages that the disk could not read since the file was opened. The rows on them do not match their checksums.
    pub fn faulted_pages(&self) -> u64 {
        self.guarded.faulted()
    }
}

impl RowFile for MmapRowFile {
    fn path(&self) -> &Path {
        self.rows.path()
    }

    fn spec(&self) -> &RowFileSpec {
        &self.rows.spec
    }

    fn len(&self) -> u64 {
        self.rows.len()
    }

    fn append(&self, rows: &[u8]) -> Result<u64, RowError> {
        self.rows.append(rows)
    }

    fn rows(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>, RowError> {
        let (offset, bytes) = self.rows.extent(&range)?;
        let offset = usize::try_from(offset).expect("a mapped file fits into the address space");
        let mapped = offset.checked_add(bytes).is_some_and(|end| end <= self.map.len());
        assert!(
            mapped,
            "published rows of {} lie outside its map",
            self.path().display()
        );
        // SAFETY: offset..offset + bytes lies inside the map (asserted above), which lives as long as `self`, which the
        // result borrows. Nobody writes these bytes meanwhile: they belong to published rows, `append` writes only behind
        // those, and `truncate`, which lets them be written again, takes `&mut self` and so waits for the end of this
        // borrow; other processes are kept out by the lock of the data directory. The file does not get shorter than its
        // published rows: only `seal` cuts it, behind the last one; if something else does, or if the disk cannot read a
        // page, then `fault` makes zeros of it.
        Ok(Cow::Borrowed(unsafe {
            std::slice::from_raw_parts(self.map.as_ptr().add(offset), bytes)
        }))
    }

    fn sync(&self) -> Result<(), RowError> {
        self.rows.sync()
    }

    fn truncate(&mut self, len: u64) -> Result<(), RowError> {
        self.rows.truncate(len)
    }

    fn seal(&mut self) -> Result<(), RowError> {
        self.rows.seal()
    }
}

impl fmt::Debug for MmapRowFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MmapRowFile")
            .field("path", &self.path())
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "rows_test.rs"]
mod tests;
