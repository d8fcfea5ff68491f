//! Rows read with a system call each: works on every disk.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::path::Path;

use covey_env::Disk;

use super::file::Rows;
use super::{RowError, RowFile, RowFileSpec};

/// A [`RowFile`] for the simulator.
pub struct ReadAtRowFile {
    rows: Rows,
}

impl ReadAtRowFile {
    /// Makes a new file. Its name is durable at the return.
    ///
    /// # Errors
    /// The name is taken, the spec cannot be, or the disk failed.
    pub fn create(disk: &dyn Disk, path: &Path, spec: RowFileSpec) -> Result<ReadAtRowFile, RowError> {
        Ok(ReadAtRowFile {
            rows: Rows::create(disk, path, spec)?,
        })
    }

    /// Opens a file of which the first `len` rows count.
    ///
    /// # Errors
    /// The header is damaged, the file is too short, or the disk failed.
    pub fn open(disk: &dyn Disk, path: &Path, len: u64) -> Result<ReadAtRowFile, RowError> {
        Ok(ReadAtRowFile {
            rows: Rows::open(disk, path, len)?,
        })
    }
}

impl RowFile for ReadAtRowFile {
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
        Ok(Cow::Owned(self.rows.read(&range)?))
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

impl fmt::Debug for ReadAtRowFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadAtRowFile")
            .field("path", &self.path())
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
