//! How much of fjall's journals is surely on disk, and that it is still what was written.
//!
//! After a power loss, or a failed sync, what was not synced may be any mix of old and new pages, whatever the kernel's memory
//! still shows. fjall cannot always tell: its checksums leave out the sequence number of a batch, and where it cannot make
//! out an entry it cuts the journal, even if what it cuts was synced. So each sync leaves a mark. At open, what lies
//! before the mark is checked, and what lies behind it goes: it was promised to nobody, and the log replays it.
//!
//! Known of fjall's files: journals are named `<number>.jnl`; the highest is written to, the others are complete; they are
//! filled with zeros ahead, entries follow each other from the beginning, and the last byte of an entry is not zero.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use covey_env::{Disk, DiskFile, OpenMode};

use super::KvError;
use super::error::io_at;

/// The file that holds the mark: magic, version, number of parts, parts, checksum of all that.
const NAME: &str = "synced";
const MAGIC: [u8; 7] = *b"COVEYJS";
/// Follows the magic as a digit. Every version ends with the checksum of what is before it.
const FORMAT_VERSION: u8 = 1;
/// Magic and version.
const HEAD: usize = 8;
/// Journal number, bytes, checksum of these bytes.
const PART: usize = 20;
/// No version is longer. Journals are few: fjall flushes memtables to keep them so.
const MAX_LEN: u64 = 64 << 10;
/// Bytes that are read at once.
const BLOCK: usize = 256 << 10;

/// The synced beginning of one journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    journal: u64,
    bytes: u64,
    /// CRC-32C of these bytes.
    crc: u32,
}

/// What of the journals is on disk, by ascending number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Synced(Vec<Part>);

/// What was written: where the entries of each journal end, and which part of it was synced before.
#[derive(Debug)]
pub(super) struct Written(Vec<(Part, PathBuf, u64)>);

impl Synced {
    /// What there is to sync. No batch may be half written meanwhile.
    pub(super) fn measure(&self, disk: &dyn Disk, dir: &Path) -> io::Result<Written> {
        let last = self.0.last().map(|part| part.journal);
        let mut written = Vec::new();
        for (journal, path) in journals(disk, dir)? {
            let known = self.0.iter().find(|part| part.journal == journal).copied();
            let before = known.unwrap_or(Part {
                journal,
                bytes: 0,
                crc: 0,
            });
            // A journal with a successor was complete when it was synced.
            let end = if known.is_some() && last > Some(journal) {
                before.bytes
            } else if let Some(file) = open(disk, &path)? {
                end(&*file, before.bytes)?
            } else {
                continue;
            };
            written.push((before, path, end));
        }
        Ok(Written(written))
    }

    /// The journal that does not hold this any more. Journals that are gone became tables.
    pub(super) fn damaged(&self, disk: &dyn Disk, dir: &Path) -> io::Result<Option<PathBuf>> {
        for part in &self.0 {
            let path = dir.join(format!("{}.jnl", part.journal));
            let Some(file) = open(disk, &path)? else { continue };
            if file.len()? < part.bytes || checksum(&*file, 0, 0, part.bytes)? != part.crc {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// Cuts what was written later.
    pub(super) fn cut_later(&self, disk: &dyn Disk, dir: &Path) -> io::Result<()> {
        for (journal, path) in journals(disk, dir)? {
            let part = self.0.iter().find(|part| part.journal == journal);
            let keep = part.map_or(0, |part| part.bytes);
            let file = disk.open(&path, OpenMode::ReadWrite)?;
            if file.len()? > keep {
                file.set_len(keep)?;
                file.sync_all()?;
            }
        }
        Ok(())
    }

    /// Makes this the mark.
    pub(super) fn store(&self, disk: &dyn Disk, dir: &Path) -> io::Result<()> {
        disk.replace_file(&dir.join(NAME), &self.encode())
    }

    /// The mark of the last sync.
    ///
    /// # Errors
    /// It is damaged, or lost, or of a newer release: then nobody knows what was synced.
    pub(super) fn load(disk: &dyn Disk, dir: &Path) -> Result<Synced, KvError> {
        let path = dir.join(NAME);
        let corrupt = || KvError::Corrupt {
            path: path.clone(),
            offset: 0,
        };
        if !disk.exists(&path).map_err(io_at("look for", &path))? {
            // The first mark is made before the first journal.
            if !journals(disk, dir).map_err(io_at("list", dir))?.is_empty() {
                return Err(corrupt());
            }
            let nothing = Synced::default();
            nothing.store(disk, dir).map_err(io_at("write", &path))?;
            return Ok(nothing);
        }
        let content = disk.read_file(&path, MAX_LEN).map_err(io_at("read", &path))?;
        let (body, sum) = content.split_at(content.len().saturating_sub(4));
        if body.len() < HEAD || body[..7] != MAGIC || sum != crc32c::crc32c(body).to_le_bytes() {
            return Err(corrupt());
        }
        let found = body[7].wrapping_sub(b'0');
        if found != FORMAT_VERSION {
            return Err(KvError::Version {
                path,
                found: found.into(),
                supported: FORMAT_VERSION.into(),
            });
        }
        Synced::decode(&body[HEAD..]).ok_or_else(corrupt)
    }

    fn encode(&self) -> Vec<u8> {
        let mut content = MAGIC.to_vec();
        content.push(b'0' + FORMAT_VERSION);
        content.extend((self.0.len() as u32).to_le_bytes());
        for part in &self.0 {
            content.extend(part.journal.to_le_bytes());
            content.extend(part.bytes.to_le_bytes());
            content.extend(part.crc.to_le_bytes());
        }
        content.extend(crc32c::crc32c(&content).to_le_bytes());
        content
    }

    fn decode(body: &[u8]) -> Option<Synced> {
        let (count, parts) = body.split_first_chunk()?;
        let count = u32::from_le_bytes(*count) as usize;
        if parts.len() != count.checked_mul(PART)? {
            return None;
        }
        let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        let part = |bytes: &[u8]| Part {
            journal: number(&bytes[..8]),
            bytes: number(&bytes[8..16]),
            crc: u32::from_le_bytes(bytes[16..].try_into().expect("four bytes")),
        };
        Some(Synced(parts.chunks_exact(PART).map(part).collect()))
    }

    /// Length of the synced part of all journals.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        self.0.iter().map(|part| part.bytes).sum()
    }
}

impl Written {
    /// Syncs it. Waits for the disk; batches may be written meanwhile.
    pub(super) fn sync(self, disk: &dyn Disk) -> io::Result<Synced> {
        let mut parts = Vec::new();
        for (before, path, end) in self.0 {
            let Some(file) = open(disk, &path)? else { continue };
            if end > before.bytes {
                file.sync_all()?;
            }
            parts.push(Part {
                journal: before.journal,
                bytes: end,
                crc: checksum(&*file, before.crc, before.bytes, end)?,
            });
        }
        Ok(Synced(parts))
    }
}

/// `None` if it is gone: fjall removes a journal when it has become tables.
fn open(disk: &dyn Disk, path: &Path) -> io::Result<Option<Arc<dyn DiskFile>>> {
    match disk.open(path, OpenMode::Read) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some),
    }
}

/// Where the zeros at the end begin, behind `from`.
fn end(file: &dyn DiskFile, from: u64) -> io::Result<u64> {
    let mut end = file.len()?;
    let (mut block, zeros) = (vec![0; BLOCK], vec![0; BLOCK]);
    while end > from {
        let start = end.saturating_sub(BLOCK as u64).max(from);
        let part = &mut block[..(end - start) as usize];
        file.read_at(part, start)?;
        // Slices are compared many bytes at once: commits wait for this, and most of a journal are zeros.
        if part[..] != zeros[..part.len()] {
            let last = part.iter().rposition(|byte| *byte != 0);
            return Ok(start + last.map_or(0, |last| last as u64 + 1));
        }
        end = start;
    }
    Ok(from)
}

/// Continues the checksum of the bytes before `from`.
fn checksum(file: &dyn DiskFile, mut crc: u32, mut from: u64, to: u64) -> io::Result<u32> {
    let mut block = vec![0; BLOCK];
    while from < to {
        let part = &mut block[..BLOCK.min((to - from) as usize)];
        file.read_at(part, from)?;
        crc = crc32c::crc32c_append(crc, part);
        from += part.len() as u64;
    }
    Ok(crc)
}

/// All journals by ascending number.
fn journals(disk: &dyn Disk, dir: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let journals = disk.list(dir)?.into_iter().filter_map(|entry| {
        let name = entry.path.file_name()?.to_str()?.strip_suffix(".jnl")?;
        Some((name.parse().ok()?, entry.path))
    });
    let mut journals: Vec<(u64, PathBuf)> = journals.collect();
    journals.sort_unstable();
    Ok(journals)
}

#[cfg(test)]
#[path = "synced_test.rs"]
mod tests;
