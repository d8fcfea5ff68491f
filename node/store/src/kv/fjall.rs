//! The production store: one keyspace of `fjall`, which reads and writes its files itself.
//!
//! Commits reach fjall's journal buffer, not the disk; [`KvStore::persist`] syncs the journal. The journal is cut into
//! pieces as memtables fill, and a piece goes once its memtables are tables on disk, so it is bounded by
//! `journal_bytes` plus a memtable. At open the *unsynced* end of the journal is cut, whatever it holds; damage before it is
//! refused (see `synced.rs`).

use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use covey_env::Disk;
use fjall::{AbstractTree, Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable, Snapshot};

use super::error::io_at;
use super::synced::Synced;
use super::{KeyRange, KvBatch, KvError, KvRead, KvStore, KvUsage, Visit};

/// The one keyspace.
const KEYSPACE: &str = "shards";

/// Memory and threads of the store.
#[derive(Clone, Copy, Debug)]
pub struct FjallOptions {
    /// Cache of table blocks.
    pub cache_bytes: u64,
    /// A memtable; about four can exist at once.
    pub memtable_bytes: u64,
    /// The journal on disk; at least 64 MiB.
    pub journal_bytes: u64,
    /// Threads that flush and compact; at least one.
    pub workers: usize,
}

impl Default for FjallOptions {
    fn default() -> FjallOptions {
        FjallOptions {
            cache_bytes: 256 << 20,
            memtable_bytes: 32 << 20,
            journal_bytes: 256 << 20,
            workers: 1,
        }
    }
}

/// A [`KvStore`] on fjall.
#[derive(Clone)]
pub struct FjallKv {
    database: Database,
    keyspace: Keyspace,
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    /// Held while a batch is written, so that what is measured under it ends with a whole batch.
    writing: Arc<Mutex<()>>,
    /// What was marked last; one writer of the mark at a time.
    synced: Arc<Mutex<Synced>>,
}

#[derive(Clone)]
struct FjallSnapshot {
    snapshot: Snapshot,
    keyspace: Keyspace,
    dir: PathBuf,
}

impl FjallKv {
    /// Opens the store in `dir`, or makes a new one. `disk` is for the mark beside fjall's files.
    ///
    /// # Errors
    /// The store is locked by another process, damaged, or the disk failed.
    ///
    /// # Panics
    /// If the options are out of their ranges.
    pub fn open(disk: Arc<dyn Disk>, dir: &Path, options: &FjallOptions) -> Result<FjallKv, KvError> {
        disk.create_dir_all(dir).map_err(io_at("create", dir))?;
        let synced = settle_journals(&*disk, dir)?;
        let opened = Database::builder(dir)
            .cache_size(options.cache_bytes)
            .max_journaling_size(options.journal_bytes)
            .worker_threads(options.workers)
            .manual_journal_persist(true)
            .open();
        let database = opened.map_err(lsm("open", dir))?;
        let create = || {
            KeyspaceCreateOptions::default()
                .manual_journal_persist(true)
                .max_memtable_size(options.memtable_bytes)
        };
        let keyspace = database
            .keyspace(KEYSPACE, create)
            .map_err(lsm("open the keyspace", dir))?;
        Ok(FjallKv {
            database,
            keyspace,
            dir: dir.to_owned(),
            disk,
            writing: Arc::default(),
            synced: Arc::new(Mutex::new(synced)),
        })
    }

    fn moment(&self) -> FjallSnapshot {
        FjallSnapshot {
            snapshot: self.database.snapshot(),
            keyspace: self.keyspace.clone(),
            dir: self.dir.clone(),
        }
    }
}

/// Makes sure that the journals hold what was synced and nothing else.
fn settle_journals(disk: &dyn Disk, dir: &Path) -> Result<Synced, KvError> {
    let synced = Synced::load(disk, dir)?;
    if let Some(path) = synced.damaged(disk, dir).map_err(io_at("check the journal in", dir))? {
        return Err(KvError::Journal { path });
    }
    synced.cut_later(disk, dir).map_err(io_at("cut the journal in", dir))?;
    Ok(synced)
}

/// Only a panic poisons a mutex, and a panic ends the process.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lsm<'a>(what: &'static str, dir: &'a Path) -> impl FnOnce(fjall::Error) -> KvError + 'a {
    move |source| KvError::Lsm {
        what,
        dir: dir.to_owned(),
        source,
    }
}

impl KvRead for FjallKv {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, KvError> {
        let found = self.keyspace.get(key).map_err(lsm("read a key", &self.dir))?;
        Ok(found.map(|value| Bytes::copy_from_slice(&value)))
    }

    fn scan(&self, range: &KeyRange, visit: &mut Visit<'_>) -> Result<(), KvError> {
        self.moment().scan(range, visit)
    }
}

impl KvRead for FjallSnapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, KvError> {
        let found = self
            .snapshot
            .get(&self.keyspace, key)
            .map_err(lsm("read a key", &self.dir))?;
        Ok(found.map(|value| Bytes::copy_from_slice(&value)))
    }

    fn scan(&self, range: &KeyRange, visit: &mut Visit<'_>) -> Result<(), KvError> {
        let Some(bounds) = range.bounds() else { return Ok(()) };
        for pair in self.snapshot.range::<&[u8], _>(&self.keyspace, bounds) {
            let (key, value) = pair.into_inner().map_err(lsm("scan", &self.dir))?;
            if let ControlFlow::Break(()) = visit(&key, &value) {
                break;
            }
        }
        Ok(())
    }
}

impl KvStore for FjallKv {
    fn snapshot(&self) -> Box<dyn KvRead> {
        Box::new(self.moment())
    }

    fn commit(&self, batch: &KvBatch) -> Result<(), KvError> {
        batch.check()?;
        let mut writes = self.database.batch();
        for (key, value) in batch.iter() {
            match value {
                Some(value) => writes.insert(&self.keyspace, key, value),
                None => writes.remove(&self.keyspace, key),
            }
        }
        let _whole = lock(&self.writing);
        writes.commit().map_err(lsm("commit a batch", &self.dir))
    }

    fn persist(&self) -> Result<(), KvError> {
        let (disk, dir) = (&*self.disk, &self.dir);
        let mut synced = lock(&self.synced);
        let written = {
            let _whole = lock(&self.writing);
            // fjall would sync under a lock that commits need, so it only empties its buffer into the file.
            self.database
                .persist(PersistMode::Buffer)
                .map_err(lsm("write the journal", dir))?;
            synced
                .measure(disk, dir)
                .map_err(io_at("measure the journal in", dir))?
        };
        let next = written.sync(disk).map_err(io_at("sync the journal in", dir))?;
        if next != *synced {
            next.store(disk, dir)
                .map_err(io_at("mark as synced the journal in", dir))?;
            *synced = next;
        }
        Ok(())
    }

    fn usage(&self) -> Result<KvUsage, KvError> {
        let (measure, tree) = (|what| lsm(what, &self.dir), &self.keyspace.tree);
        Ok(KvUsage {
            disk_bytes: self.database.disk_space().map_err(measure("measure the tables"))?,
            journal_bytes: self
                .database
                .journal_disk_space()
                .map_err(measure("measure the journal"))?,
            approximate_len: self.keyspace.approximate_len() as u64,
            memtable_bytes: self.database.write_buffer_size(),
            cache_bytes: self.database.cache_size(),
            index_bytes: (tree.pinned_block_index_size() + tree.pinned_filter_size()) as u64,
        })
    }
}

impl fmt::Debug for FjallKv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FjallKv")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for FjallSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FjallSnapshot")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "fjall_test.rs"]
mod tests;
