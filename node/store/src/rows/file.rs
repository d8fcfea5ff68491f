//! What both forms of a row file share: the header, appending, the published length.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use covey_env::{Disk, DiskFile, OpenMode};

use super::{HEADER_BYTES, MAX_DESCRIPTION, RowError, RowFileSpec};

const MAGIC: [u8; 8] = *b"COVEYROW";
const FORMAT_VERSION: u32 = 1;
const MAX_ROW_BYTES: u32 = 1 << 20;
/// Magic, version, row bytes, description length; then the description; the checksum ends the header.
const DESCRIPTION_AT: usize = 20;
const CRC_AT: usize = HEADER_BYTES - 4;

/// The header block:
/// `magic 8 | version 4 | row bytes 4 | description length 4 | description | zeros | crc 4`, 4096 bytes in all.
fn encode_header(spec: &RowFileSpec) -> Vec<u8> {
    let mut block = vec![0; HEADER_BYTES];
    block[..8].copy_from_slice(&MAGIC);
    block[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
    block[12..16].copy_from_slice(&spec.row_bytes.to_le_bytes());
    let len = u32::try_from(spec.description.len()).expect("a description fits into the header");
    block[16..20].copy_from_slice(&len.to_le_bytes());
    block[DESCRIPTION_AT..DESCRIPTION_AT + spec.description.len()].copy_from_slice(&spec.description);
    let crc = crc32c::crc32c(&block[..CRC_AT]);
    block[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
    block
}

/// Row bytes and description.
fn decode_header(path: &Path, block: &[u8]) -> Result<(u32, Vec<u8>), RowError> {
    let u32_at = |at: usize| u32::from_le_bytes(block[at..at + 4].try_into().expect("four bytes"));
    let damaged = || RowError::Header { path: path.to_owned() };
    if block[..8] != MAGIC || u32_at(CRC_AT) != crc32c::crc32c(&block[..CRC_AT]) {
        return Err(damaged());
    }
    if u32_at(8) != FORMAT_VERSION {
        return Err(RowError::Version {
            path: path.to_owned(),
            found: u32_at(8),
            supported: FORMAT_VERSION,
        });
    }
    let description = block.get(DESCRIPTION_AT..DESCRIPTION_AT + u32_at(16) as usize);
    let description = description
        .filter(|description| description.len() <= MAX_DESCRIPTION)
        .ok_or_else(damaged)?;
    let row_bytes = u32_at(12);
    if row_bytes == 0 || row_bytes > MAX_ROW_BYTES {
        return Err(damaged());
    }
    Ok((row_bytes, description.to_vec()))
}

fn io_at<'a>(what: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> RowError + 'a {
    move |source| RowError::Io {
        what,
        path: path.to_owned(),
        source,
    }
}

/// An open row file.
pub(super) struct Rows {
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) spec: RowFileSpec,
    /// Rows that may be read. Stored with `Release` after the rows are written, loaded with `Acquire` before they are
    /// read: who sees the length sees the rows.
    len: AtomicU64,
    /// Held while appending.
    appending: Mutex<()>,
}

impl Rows {
    /// Makes a file; its name is durable.
    pub(super) fn create(disk: &dyn Disk, path: &Path, spec: RowFileSpec) -> Result<Rows, RowError> {
        let fits = (1..=MAX_ROW_BYTES).contains(&spec.row_bytes) && spec.description.len() <= MAX_DESCRIPTION;
        let bytes = file_bytes(&spec)
            .filter(|_| fits && spec.capacity > 0)
            .ok_or_else(|| RowError::Spec {
                path: path.to_owned(),
                row_bytes: spec.row_bytes,
                capacity: spec.capacity,
                description: spec.description.len(),
            })?;
        let file = disk.open(path, OpenMode::CreateNew).map_err(io_at("create", path))?;
        file.set_len(bytes).map_err(io_at("lengthen", path))?;
        file.write_at(&encode_header(&spec), 0)
            .map_err(io_at("write the header of", path))?;
        file.sync_all().map_err(io_at("sync", path))?;
        let dir = path.parent().unwrap_or(path);
        disk.sync_dir(dir).map_err(io_at("sync", dir))?;
        Ok(Rows {
            file,
            spec,
            len: AtomicU64::new(0),
            appending: Mutex::new(()),
        })
    }

    /// Opens a file in which the first `len` rows count.
    pub(super) fn open(disk: &dyn Disk, path: &Path, len: u64) -> Result<Rows, RowError> {
        let file = disk.open(path, OpenMode::ReadWrite).map_err(io_at("open", path))?;
        let bytes = file.len().map_err(io_at("measure", path))?;
        let Some(row_area) = bytes.checked_sub(HEADER_BYTES as u64) else {
            return Err(RowError::Header { path: path.to_owned() });
        };
        let mut block = vec![0; HEADER_BYTES];
        file.read_at(&mut block, 0).map_err(io_at("read the header of", path))?;
        let (row_bytes, description) = decode_header(path, &block)?;
        let capacity = row_area / u64::from(row_bytes);
        if capacity < len {
            return Err(RowError::Short {
                path: path.to_owned(),
                capacity,
                rows: len,
            });
        }
        let spec = RowFileSpec {
            row_bytes,
            capacity,
            description,
        };
        Ok(Rows {
            file,
            spec,
            len: AtomicU64::new(len),
            appending: Mutex::new(()),
        })
    }

    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    pub(super) fn len(&self) -> u64 {
        self.len.load(Ordering::Acquire)
    }

    pub(super) fn append(&self, rows: &[u8]) -> Result<u64, RowError> {
        let row_bytes = self.spec.row_bytes;
        if !rows.len().is_multiple_of(row_bytes as usize) {
            return Err(RowError::Length {
                path: self.path().to_owned(),
                bytes: rows.len(),
                row_bytes,
            });
        }
        let _alone = self.appending.lock().unwrap_or_else(PoisonError::into_inner);
        let first = self.len.load(Ordering::Relaxed);
        let count = (rows.len() / row_bytes as usize) as u64;
        if count > self.spec.capacity - first {
            return Err(RowError::Full {
                path: self.path().to_owned(),
                capacity: self.spec.capacity,
            });
        }
        self.file
            .write_at(rows, self.offset(first))
            .map_err(io_at("append to", self.path()))?;
        self.len.store(first + count, Ordering::Release);
        Ok(first)
    }

    /// Offset in the file and length of published rows, in bytes.
    pub(super) fn extent(&self, range: &Range<u64>) -> Result<(u64, usize), RowError> {
        let len = self.len();
        if range.start > range.end || range.end > len {
            let (start, end) = (range.start, range.end);
            return Err(RowError::Range {
                path: self.path().to_owned(),
                start,
                end,
                len,
            });
        }
        let bytes = (range.end - range.start) * u64::from(self.spec.row_bytes);
        Ok((
            self.offset(range.start),
            usize::try_from(bytes).expect("rows in memory fit into the address space"),
        ))
    }

    /// Below the file's length, which was computed without overflow.
    fn offset(&self, ordinal: u64) -> u64 {
        HEADER_BYTES as u64 + ordinal * u64::from(self.spec.row_bytes)
    }

    pub(super) fn read(&self, range: &Range<u64>) -> Result<Vec<u8>, RowError> {
        let (offset, bytes) = self.extent(range)?;
        let mut rows = vec![0; bytes];
        self.file
            .read_at(&mut rows, offset)
            .map_err(io_at("read", self.path()))?;
        Ok(rows)
    }

    pub(super) fn sync(&self) -> Result<(), RowError> {
        self.file.sync_data().map_err(io_at("sync", self.path()))
    }

    pub(super) fn truncate(&mut self, len: u64) -> Result<(), RowError> {
        self.extent(&(len..self.len()))?;
        *self.len.get_mut() = len;
        Ok(())
    }

    pub(super) fn seal(&mut self) -> Result<(), RowError> {
        let len = *self.len.get_mut();
        self.file.set_len(self.offset(len)).map_err(io_at("cut", self.path()))?;
        self.file.sync_all().map_err(io_at("sync", self.path()))?;
        self.spec.capacity = len;
        Ok(())
    }
}

/// The length of a file of this kind, if there can be one.
fn file_bytes(spec: &RowFileSpec) -> Option<u64> {
    let bytes = spec
        .capacity
        .checked_mul(spec.row_bytes.into())?
        .checked_add(HEADER_BYTES as u64)?;
    i64::try_from(bytes).ok().map(|_| bytes)
}

#[cfg(test)]
#[path = "file_test.rs"]
mod tests;
