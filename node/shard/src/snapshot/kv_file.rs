//! Files of key-value pairs: a header, then pairs, each with its lengths in front.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use covey_env::{Disk, DiskFile, OpenMode};
use covey_shared::ids::ShardId;
use covey_store::kv::{MAX_KEY, MAX_VALUE};

use super::SnapshotError;
use super::names::kv_name;
use crate::error::ShardStoreError;
use crate::keys::GENERATION;

const MAGIC: [u8; 8] = *b"COVEYKVS";
const FORMAT_VERSION: u32 = 1;
/// Magic, version, shard.
const HEADER: usize = 20;
/// Lengths of a key and its value.
const LENGTHS: usize = 8;
/// A file that is this long gets no more pairs.
const FILE_BYTES: u64 = 16 << 20;
/// Bytes that are written or read at a time, if no pair is longer.
const BUFFER: usize = 1 << 20;

/// Writes the files one after the other, as `kv-0000` and so on.
pub(super) struct KvFiles<'a> {
    disk: &'a dyn Disk,
    dir: &'a Path,
    shard: ShardId,
    file: Option<Arc<dyn DiskFile>>,
    /// Bytes of the file that are written.
    written: u64,
    buffer: Vec<u8>,
    paths: Vec<PathBuf>,
}

impl<'a> KvFiles<'a> {
    pub(super) fn new(disk: &'a dyn Disk, dir: &'a Path, shard: ShardId) -> Self {
        KvFiles {
            disk,
            dir,
            shard,
            file: None,
            written: 0,
            buffer: Vec::new(),
            paths: Vec::new(),
        }
    }

    /// Adds a pair; the key comes without its generation.
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) -> Result<(), SnapshotError> {
        if self.file.is_some() && self.written + self.buffer.len() as u64 >= FILE_BYTES {
            self.end_file()?;
        }
        if self.file.is_none() {
            self.begin_file()?;
        }
        self.buffer.extend_from_slice(&(key.len() as u32).to_le_bytes());
        self.buffer.extend_from_slice(&(value.len() as u32).to_le_bytes());
        self.buffer.extend_from_slice(key);
        self.buffer.extend_from_slice(value);
        if self.buffer.len() >= BUFFER {
            self.flush()?;
        }
        Ok(())
    }

    fn begin_file(&mut self) -> Result<(), SnapshotError> {
        let path = self.dir.join(kv_name(self.paths.len()));
        let file = self.disk.open(&path, OpenMode::CreateNew);
        self.file = Some(file.map_err(|source| SnapshotError::io(&path, source))?);
        self.paths.push(path);
        self.written = 0;
        self.buffer.extend_from_slice(&MAGIC);
        self.buffer.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        self.buffer.extend_from_slice(&self.shard.0.to_le_bytes());
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SnapshotError> {
        if let Some(file) = &self.file {
            let written = file.write_at(&self.buffer, self.written);
            written.map_err(|source| SnapshotError::io(file.path(), source))?;
            self.written += self.buffer.len() as u64;
            self.buffer.clear();
        }
        Ok(())
    }

    /// What comes next goes into another file.
    pub(super) fn end_file(&mut self) -> Result<(), SnapshotError> {
        self.flush()?;
        self.file = None;
        Ok(())
    }

    /// The files, by number.
    pub(super) fn finish(mut self) -> Result<Vec<PathBuf>, SnapshotError> {
        self.end_file()?;
        Ok(self.paths)
    }
}

/// Calls `visit` with each pair of a file.
///
/// # Errors
/// A file that was not written here, of another shard, or damaged; what the disk and `visit` say.
pub(super) fn read(
    disk: &dyn Disk,
    path: &Path,
    shard: ShardId,
    mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), ShardStoreError>,
) -> Result<(), ShardStoreError> {
    let file = disk
        .open(path, OpenMode::Read)
        .map_err(|e| SnapshotError::io(path, e))?;
    let len = file.len().map_err(|e| SnapshotError::io(path, e))?;
    let mut reader = Reader {
        file: &*file,
        len,
        read: 0,
        buffer: Vec::new(),
        at: 0,
    };
    reader.header(shard)?;
    while reader.position() < len {
        let lengths = reader.take(LENGTHS)?;
        let (key_len, value_len) = (word(lengths, 0) as usize, word(lengths, 4) as usize);
        if !(1..=MAX_KEY - GENERATION).contains(&key_len) || value_len > MAX_VALUE {
            return Err(reader.damaged(LENGTHS).into());
        }
        let (key, value) = reader.take(key_len + value_len)?.split_at(key_len);
        visit(key, value)?;
    }
    Ok(())
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))
}

/// Reads on through a file.
struct Reader<'a> {
    file: &'a dyn DiskFile,
    len: u64,
    /// Bytes of the file that were read.
    read: u64,
    buffer: Vec<u8>,
    /// Where in the buffer the next bytes lie.
    at: usize,
}

impl Reader<'_> {
    fn position(&self) -> u64 {
        self.read - (self.buffer.len() - self.at) as u64
    }

    /// The file is damaged `behind` bytes before the current position.
    fn damaged(&self, behind: usize) -> SnapshotError {
        SnapshotError::Damaged {
            path: self.file.path().to_owned(),
            offset: self.position().saturating_sub(behind as u64),
        }
    }

    fn header(&mut self, shard: ShardId) -> Result<(), SnapshotError> {
        let path = self.file.path().to_owned();
        let header = self.take(HEADER)?;
        let version = word(header, 8);
        let found = ShardId(u64::from_le_bytes(std::array::from_fn(|i| header[12 + i])));
        if header[..8] != MAGIC || version == 0 {
            Err(SnapshotError::Damaged { path, offset: 0 })
        } else if version > FORMAT_VERSION {
            let (found, known) = (version, FORMAT_VERSION);
            Err(SnapshotError::Newer { path, found, known })
        } else if found != shard {
            Err(SnapshotError::OtherShard { path, found })
        } else {
            Ok(())
        }
    }

    /// The next `count` bytes. Not believed before the file is long enough for them.
    fn take(&mut self, count: usize) -> Result<&[u8], SnapshotError> {
        if self.len - self.position() < count as u64 {
            return Err(self.damaged(0));
        }
        if self.buffer.len() - self.at < count {
            self.buffer.drain(..self.at);
            self.at = 0;
            let kept = self.buffer.len();
            let more = (count.max(BUFFER) - kept).min(usize::try_from(self.len - self.read).unwrap_or(usize::MAX));
            self.buffer.resize(kept + more, 0);
            let read = self.file.read_at(&mut self.buffer[kept..], self.read);
            read.map_err(|source| SnapshotError::io(self.file.path(), source))?;
            self.read += more as u64;
        }
        self.at += count;
        Ok(&self.buffer[self.at - count..self.at])
    }
}

#[cfg(test)]
#[path = "kv_file_test.rs"]
mod tests;
