//! A small store for the simulator: all pairs in memory, all batches in a journal, which is rewritten when it has
//! doubled. Records are those of the log, with their protection against torn and damaged writes.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use bytes::Bytes;
use covey_env::{Disk, DiskFile, OpenMode};

use super::error::io_at;
use super::{KeyRange, KvBatch, KvError, KvRead, KvStore, KvUsage, Visit};
use crate::log::record::{BODY_VERSION, Link, encode_record, record_at, remains};

const MAGIC: [u8; 8] = *b"COVEYKVJ";
const FORMAT_VERSION: u32 = 1;
/// Magic, version, generation, checksum. The checksum salts the records, and the generation changes it at each rewrite.
const HEADER: usize = 24;
/// A journal is not rewritten before it is this long, in bytes.
const REWRITE_FROM: usize = 64 << 10;
/// Bytes of pairs per record in a rewritten journal.
const REWRITE_RECORD: usize = 256 << 10;
/// Larger journals are refused at open: this form is for simulated clusters.
const MAX_JOURNAL: usize = 1 << 30;

const BODY: Configuration<LittleEndian, Fixint, Limit<MAX_JOURNAL>> =
    bincode::config::legacy().with_limit::<MAX_JOURNAL>();

type Pairs = BTreeMap<Vec<u8>, Bytes>;
/// Body of a record: the changes of one batch.
type Body = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// A [`KvStore`] in memory with a journal on a [`Disk`].
pub struct JournalKv {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    inner: Mutex<Inner>,
}

struct Inner {
    /// Shared with snapshots; copied by the first commit after one was taken.
    pairs: Arc<Pairs>,
    journal: Journal,
    poisoned: bool,
}

/// The open journal file.
struct Journal {
    file: Arc<dyn DiskFile>,
    generation: u64,
    salt: u32,
    at: usize,
    next_seq: u64,
    synced: u64,
    prev_crc: u32,
    /// Length after the last rewrite.
    base: usize,
}

#[derive(Debug)]
struct JournalSnapshot(Arc<Pairs>);

impl JournalKv {
    /// Opens the store in `dir`, or makes a new one.
    ///
    /// # Errors
    /// The journal is damaged or of a newer release, or the disk failed.
    pub fn open(disk: Arc<dyn Disk>, dir: &Path) -> Result<JournalKv, KvError> {
        disk.create_dir_all(dir).map_err(io_at("create", dir))?;
        // The journal may come from a process that ended before it had synced its name.
        disk.sync_dir(dir).map_err(io_at("sync", dir))?;
        let path = dir.join("journal");
        let (pairs, journal) = if disk.exists(&path).map_err(io_at("look for", &path))? {
            Journal::replay(&*disk, &path)?
        } else {
            (
                Pairs::new(),
                Journal::write_new(&*disk, &path, 1, &Pairs::new()).map_err(io_at("create", &path))?,
            )
        };
        let inner = Inner {
            pairs: Arc::new(pairs),
            journal,
            poisoned: false,
        };
        Ok(JournalKv {
            disk,
            dir: dir.to_owned(),
            inner: Mutex::new(inner),
        })
    }

    /// Only a panic poisons the mutex, and a panic ends the process.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a change of the journal; if it fails, no other may follow.
    fn change<T>(&self, what: &'static str, change: impl FnOnce(&mut Inner) -> io::Result<T>) -> Result<T, KvError> {
        let mut inner = self.inner();
        if inner.poisoned {
            return Err(KvError::Poisoned { dir: self.dir.clone() });
        }
        inner.poisoned = true;
        let done = change(&mut inner).map_err(|source| {
            let path = inner.journal.file.path().to_owned();
            KvError::Io { what, path, source }
        })?;
        inner.poisoned = false;
        Ok(done)
    }
}

impl Journal {
    /// Writes all pairs to a journal of its own and puts it in the place of the old one.
    fn write_new(disk: &dyn Disk, path: &Path, generation: u64, pairs: &Pairs) -> io::Result<Journal> {
        let unfinished = path.with_extension("tmp");
        if disk.exists(&unfinished)? {
            disk.remove_file(&unfinished)?;
        }
        let file = disk.open(&unfinished, OpenMode::CreateNew)?;
        let (header, salt) = header(generation);
        file.write_at(&header, 0)?;
        let mut journal = Journal {
            file,
            generation,
            salt,
            at: HEADER,
            next_seq: 1,
            synced: 0,
            prev_crc: 0,
            base: HEADER,
        };
        let mut part = Body::new();
        let mut bytes = 0;
        for (key, value) in pairs {
            bytes += key.len() + value.len();
            part.push((key.clone(), Some(value.to_vec())));
            if bytes >= REWRITE_RECORD {
                journal.append(&part)?;
                part.clear();
                bytes = 0;
            }
        }
        journal.append(&part)?;
        journal.file.sync_all()?;
        let Journal { file, .. } = journal;
        drop(file);
        disk.rename(&unfinished, path)?;
        let file = disk.open(path, OpenMode::ReadWrite)?;
        Ok(Journal {
            file,
            synced: journal.next_seq - 1,
            base: journal.at,
            ..journal
        })
    }

    fn append(&mut self, body: &Body) -> io::Result<()> {
        let link = Link {
            seq: self.next_seq,
            synced: self.synced,
            prev_crc: self.prev_crc,
        };
        let mut record = Vec::new();
        let crc = encode_record(&mut record, self.salt, link, |out| {
            bincode::encode_into_std_write(body, out, BODY).expect("writing into memory does not fail");
        });
        self.file.write_at(&record, self.at as u64)?;
        self.at += record.len();
        self.next_seq += 1;
        self.prev_crc = crc;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.synced + 1 < self.next_seq {
            self.file.sync_all()?;
            self.synced = self.next_seq - 1;
        }
        Ok(())
    }

    fn replay(disk: &dyn Disk, path: &Path) -> Result<(Pairs, Journal), KvError> {
        let corrupt = |offset: usize| KvError::Corrupt {
            path: path.to_owned(),
            offset: offset as u64,
        };
        let file = disk.open(path, OpenMode::ReadWrite).map_err(io_at("open", path))?;
        let len = usize::try_from(file.len().map_err(io_at("measure", path))?).unwrap_or(usize::MAX);
        if !(HEADER..=MAX_JOURNAL).contains(&len) {
            return Err(corrupt(0));
        }
        let mut content = vec![0; len];
        file.read_at(&mut content, 0).map_err(io_at("read", path))?;
        let generation = u64::from_le_bytes(content[12..20].try_into().expect("eight bytes"));
        let (expected, salt) = header(generation);
        if content[..HEADER] != expected {
            return Err(refusal(path, &content));
        }
        let mut pairs = Pairs::new();
        let mut journal = Journal {
            file,
            generation,
            salt,
            at: HEADER,
            next_seq: 1,
            synced: 0,
            prev_crc: 0,
            base: HEADER,
        };
        while let Some(record) = record_at(&content, journal.at, salt) {
            if (record.link.seq, record.link.prev_crc) != (journal.next_seq, journal.prev_crc) {
                break;
            }
            if record.version > BODY_VERSION {
                return Err(KvError::Version {
                    path: path.to_owned(),
                    found: record.version,
                    supported: BODY_VERSION,
                });
            }
            let body: Result<(Body, usize), _> = bincode::decode_from_slice(record.body, BODY);
            let whole = body.ok().filter(|(_, used)| *used == record.body.len());
            apply(&mut pairs, whole.ok_or_else(|| corrupt(journal.at))?.0);
            (journal.next_seq, journal.prev_crc, journal.at) = (record.link.seq + 1, record.crc, record.end);
        }
        let remains = remains(&content, journal.at, salt, journal.next_seq);
        if remains.synced >= journal.next_seq {
            return Err(corrupt(journal.at));
        }
        journal
            .file
            .set_len(journal.at as u64)
            .map_err(io_at("cut the torn end of", path))?;
        // After a failed sync the system holds pages for clean that it never wrote.
        // Of the last record the padding may be cut off.
        let again = journal.file.write_at(&content[..journal.at.min(len)], 0);
        again.map_err(io_at("write again", path))?;
        journal.file.sync_all().map_err(io_at("sync", path))?;
        (journal.synced, journal.base) = (journal.next_seq - 1, journal.at);
        Ok((pairs, journal))
    }
}

/// The header of a generation, and the salt of its records.
fn header(generation: u64) -> ([u8; HEADER], u32) {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
    header[12..20].copy_from_slice(&generation.to_le_bytes());
    let crc = crc32c::crc32c(&header[..20]);
    header[20..].copy_from_slice(&crc.to_le_bytes());
    (header, crc)
}

/// Why a header is not ours.
fn refusal(path: &Path, content: &[u8]) -> KvError {
    let found = u32::from_le_bytes(content[8..12].try_into().expect("four bytes"));
    let whole = crc32c::crc32c(&content[..20]).to_le_bytes() == content[20..HEADER];
    if whole && content[..8] == MAGIC {
        return KvError::Version {
            path: path.to_owned(),
            found,
            supported: FORMAT_VERSION,
        };
    }
    KvError::Corrupt {
        path: path.to_owned(),
        offset: 0,
    }
}

fn apply(pairs: &mut Pairs, body: Body) {
    for (key, value) in body {
        match value {
            Some(value) => _ = pairs.insert(key, Bytes::from(value)),
            None => _ = pairs.remove(&key),
        }
    }
}

fn scan(pairs: &Pairs, range: &KeyRange, visit: &mut Visit<'_>) {
    let Some(bounds) = range.bounds() else { return };
    for (key, value) in pairs.range::<[u8], _>(bounds) {
        if let ControlFlow::Break(()) = visit(key, value) {
            break;
        }
    }
}

impl KvRead for JournalKv {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, KvError> {
        Ok(self.inner().pairs.get(key).cloned())
    }

    fn scan(&self, range: &KeyRange, visit: &mut Visit<'_>) -> Result<(), KvError> {
        let pairs = self.inner().pairs.clone();
        scan(&pairs, range, visit);
        Ok(())
    }
}

impl KvRead for JournalSnapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, KvError> {
        Ok(self.0.get(key).cloned())
    }

    fn scan(&self, range: &KeyRange, visit: &mut Visit<'_>) -> Result<(), KvError> {
        scan(&self.0, range, visit);
        Ok(())
    }
}

impl KvStore for JournalKv {
    fn snapshot(&self) -> Box<dyn KvRead> {
        Box::new(JournalSnapshot(self.inner().pairs.clone()))
    }

    fn commit(&self, batch: &KvBatch) -> Result<(), KvError> {
        batch.check()?;
        if batch.is_empty() {
            return Ok(());
        }
        let body: Body = batch
            .iter()
            .map(|(key, value)| (key.to_vec(), value.map(<[u8]>::to_vec)))
            .collect();
        self.change("append to", |inner| {
            inner.journal.append(&body)?;
            apply(Arc::make_mut(&mut inner.pairs), body);
            if inner.journal.at >= REWRITE_FROM.max(2 * inner.journal.base) {
                let path = inner.journal.file.path().to_owned();
                let generation = inner.journal.generation + 1;
                inner.journal = Journal::write_new(&*self.disk, &path, generation, &inner.pairs)?;
            }
            Ok(())
        })
    }

    fn persist(&self) -> Result<(), KvError> {
        self.change("sync", |inner| inner.journal.sync())
    }

    fn usage(&self) -> Result<KvUsage, KvError> {
        let inner = self.inner();
        let bytes = inner.journal.at as u64;
        Ok(KvUsage {
            disk_bytes: bytes,
            journal_bytes: bytes,
            approximate_len: inner.pairs.len() as u64,
            memtable_bytes: inner
                .pairs
                .iter()
                .map(|(key, value)| (key.len() + value.len()) as u64)
                .sum(),
            ..KvUsage::default()
        })
    }
}

impl fmt::Debug for JournalKv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournalKv")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "journal_test.rs"]
mod tests;
