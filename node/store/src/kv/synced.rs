//! How much of fjall's journal is surely on disk, and that it is still what was written.
//!
//! After a power loss the unsynced end of the journal may hold any mix of old and new pages. fjall cannot always tell: its
//! checksums leave out the sequence number of a batch, and where it cannot make out an entry it cuts the journal, even
//! if what it cuts was synced. So each sync leaves a mark. When the machine has been started since, everything behind the
//! mark goes: it was promised to nobody, and the log replays it. What lies before the mark is checked at each open.
//!
//! Known of fjall's files: journals are named `<number>.jnl`; the highest is written to, the others were synced whole; they
//! are filled with zeros ahead, entries follow each other from the beginning, and the last byte of an entry is not zero.

use std::io;
use std::path::{Path, PathBuf};

use covey_env::{Disk, DiskFile, OpenMode};

/// The file that holds the mark.
const NAME: &str = "synced";
const MAGIC: [u8; 8] = *b"COVEYJS1";
/// Magic, journal number, bytes, checksum of these bytes, boot, checksum of all that.
const LEN: usize = 28 + BOOT + 4;
const BOOT: usize = 36;
/// Differs after each start of the machine.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// Bytes that are read at once.
const BLOCK: usize = 256 << 10;

/// What of the journal is on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Synced {
    journal: u64,
    /// Length of the part that is synced.
    pub(super) bytes: u64,
    /// CRC-32C of it.
    crc: u32,
}

/// A mark as it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) synced: Synced,
    /// Made since the machine was started: what processes wrote since then is in its memory, synced or not.
    pub(super) this_boot: bool,
}

impl Synced {
    /// What there is to sync. `self` was synced before.
    pub(super) fn advance(self, disk: &dyn Disk, dir: &Path) -> io::Result<Synced> {
        let Some((journal, path)) = active(disk, dir)? else {
            return Ok(self);
        };
        let file = disk.open(&path, OpenMode::Read)?;
        let before = if journal == self.journal {
            self
        } else {
            Synced::default()
        };
        let end = end(&*file)?.max(before.bytes);
        Ok(Synced {
            journal,
            bytes: end,
            crc: checksum(&*file, before.crc, before.bytes, end)?,
        })
    }

    /// Whether the journal still holds this; if not, which file is at fault. Journals that are gone became tables.
    pub(super) fn damaged(&self, disk: &dyn Disk, dir: &Path) -> io::Result<Option<PathBuf>> {
        let path = dir.join(format!("{}.jnl", self.journal));
        if !disk.exists(&path)? {
            return Ok(None);
        }
        let file = disk.open(&path, OpenMode::Read)?;
        let whole = file.len()? >= self.bytes && checksum(&*file, 0, 0, self.bytes)? == self.crc;
        Ok((!whole).then_some(path))
    }

    /// Cuts what was written later. How many bytes that were, zeros included.
    pub(super) fn cut_later(&self, disk: &dyn Disk, dir: &Path) -> io::Result<u64> {
        let Some((journal, path)) = active(disk, dir)? else {
            return Ok(0);
        };
        let keep = if journal == self.journal { self.bytes } else { 0 };
        let file = disk.open(&path, OpenMode::ReadWrite)?;
        let later = file.len()?.saturating_sub(keep);
        if later > 0 {
            file.set_len(keep)?;
            file.sync_all()?;
        }
        Ok(later)
    }

    /// Makes this the mark.
    pub(super) fn mark(&self, disk: &dyn Disk, dir: &Path) -> io::Result<()> {
        self.mark_in(disk, dir, &boot(disk))
    }

    fn mark_in(&self, disk: &dyn Disk, dir: &Path, boot: &[u8; BOOT]) -> io::Result<()> {
        let mut content = MAGIC.to_vec();
        content.extend(self.journal.to_le_bytes());
        content.extend(self.bytes.to_le_bytes());
        content.extend(self.crc.to_le_bytes());
        content.extend(boot);
        content.extend(crc32c::crc32c(&content).to_le_bytes());
        disk.replace_file(&dir.join(NAME), &content)
    }

    /// Marks it as if the machine had been started since.
    #[cfg(test)]
    pub(super) fn mark_in_another_boot(&self, disk: &dyn Disk, dir: &Path) {
        self.mark_in(disk, dir, &[b'x'; BOOT]).expect("the mark can be written");
    }
}

impl Mark {
    /// The mark of the last sync; nothing is synced where there is none. `InvalidData` if it is damaged.
    pub(super) fn load(disk: &dyn Disk, dir: &Path) -> io::Result<Mark> {
        let path = dir.join(NAME);
        if !disk.exists(&path)? {
            return Ok(Mark {
                synced: Synced::default(),
                this_boot: false,
            });
        }
        let content = disk.read_file(&path, LEN as u64)?;
        let (head, sum) = content.split_at(content.len().saturating_sub(4));
        if content.len() != LEN || head[..8] != MAGIC || sum != crc32c::crc32c(head).to_le_bytes() {
            let text = format!("{} is damaged", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        let number = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().expect("eight bytes"));
        let now = boot(disk);
        Ok(Mark {
            synced: Synced {
                journal: number(8),
                bytes: number(16),
                crc: u32::from_le_bytes(head[24..28].try_into().expect("four bytes")),
            },
            this_boot: now != [0; BOOT] && head[28..] == now,
        })
    }
}

/// Zeros if the system does not say: then every open counts as the first of its boot.
fn boot(disk: &dyn Disk) -> [u8; BOOT] {
    let mut id = [0; BOOT];
    let read = disk
        .open(Path::new(BOOT_ID), OpenMode::Read)
        .and_then(|file| file.read_at(&mut id, 0));
    if read.is_ok() { id } else { [0; BOOT] }
}

/// Where the zeros at the end begin.
fn end(file: &dyn DiskFile) -> io::Result<u64> {
    let mut end = file.len()?;
    let mut block = vec![0; BLOCK];
    while end > 0 {
        let start = end.saturating_sub(BLOCK as u64);
        let part = &mut block[..(end - start) as usize];
        file.read_at(part, start)?;
        if let Some(last) = part.iter().rposition(|byte| *byte != 0) {
            return Ok(start + last as u64 + 1);
        }
        end = start;
    }
    Ok(0)
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

/// The journal that is written to.
fn active(disk: &dyn Disk, dir: &Path) -> io::Result<Option<(u64, PathBuf)>> {
    let journals = disk.list(dir)?.into_iter().filter_map(|entry| {
        let name = entry.path.file_name()?.to_str()?.strip_suffix(".jnl")?;
        Some((name.parse().ok()?, entry.path))
    });
    Ok(journals.max())
}
