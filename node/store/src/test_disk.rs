//! A disk in memory for the tests of this crate: fast, can lose power, and fails when told to.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use covey_env::{DirEntry, Disk, DiskFile, DiskLock, DiskSpace, OpenMode};

/// The unit in which a power loss keeps or loses unsynced content.
const SECTOR: usize = 512;

/// Content as programs see it, and as it is on the platter.
#[derive(Default)]
struct Content {
    now: Vec<u8>,
    synced: Vec<u8>,
}

type Shared = Arc<Mutex<Content>>;
type Names = BTreeMap<PathBuf, Option<Shared>>;

#[derive(Default)]
struct State {
    /// `None` is a directory.
    names: Names,
    durable: Names,
    fail_syncs: bool,
    full: bool,
    writes: u64,
}

/// Clones are the same disk.
#[derive(Clone, Default)]
pub(crate) struct TestDisk(Arc<Mutex<State>>);

struct TestFile {
    disk: TestDisk,
    path: PathBuf,
    content: Shared,
    writable: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

fn missing(path: &Path) -> io::Error {
    io::Error::new(ErrorKind::NotFound, path.display().to_string())
}

impl TestDisk {
    pub(crate) fn new() -> TestDisk {
        let disk = TestDisk::default();
        lock(&disk.0).durable.insert("/".into(), None);
        lock(&disk.0).names.insert("/".into(), None);
        disk
    }

    pub(crate) fn shared(&self) -> Arc<dyn Disk> {
        Arc::new(self.clone())
    }

    pub(crate) fn fail_syncs(&self, fail: bool) {
        lock(&self.0).fail_syncs = fail;
    }

    /// Files can no longer grow.
    pub(crate) fn fill(&self, full: bool) {
        lock(&self.0).full = full;
    }

    pub(crate) fn writes(&self) -> u64 {
        lock(&self.0).writes
    }

    /// The disk after a power loss: of each sector written since the last sync, either the old or the new content, as
    /// `keep_new` says; of each file length likewise; names as of the last directory sync.
    pub(crate) fn after_power_loss(&self, mut keep_new: impl FnMut() -> bool) -> TestDisk {
        let state = lock(&self.0);
        let survivors = state.durable.iter().map(|(path, content)| {
            let survivor = content.as_ref().map(|content| {
                let kept = lock(content).survivor(&mut keep_new);
                Arc::new(Mutex::new(Content {
                    now: kept.clone(),
                    synced: kept,
                }))
            });
            (path.clone(), survivor)
        });
        let names: Names = survivors.collect();
        let state = State {
            durable: names.clone(),
            names,
            ..State::default()
        };
        TestDisk(Arc::new(Mutex::new(state)))
    }

    /// An independent copy, as if all were synced.
    pub(crate) fn copy(&self) -> TestDisk {
        let disk = self.clone();
        let mut state = State::default();
        for (path, content) in &lock(&disk.0).names {
            let copied = content.as_ref().map(|content| {
                let now = lock(content).now.clone();
                Arc::new(Mutex::new(Content {
                    synced: now.clone(),
                    now,
                }))
            });
            state.names.insert(path.clone(), copied);
        }
        state.durable = state.names.clone();
        TestDisk(Arc::new(Mutex::new(state)))
    }

    /// Changes the content of a file behind everybody's back.
    pub(crate) fn tamper(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let content = self.content(path).unwrap();
        let mut content = lock(&content);
        change(&mut content.now);
        content.synced = content.now.clone();
    }

    fn content(&self, path: &Path) -> io::Result<Shared> {
        lock(&self.0)
            .names
            .get(path)
            .and_then(Clone::clone)
            .ok_or_else(|| missing(path))
    }
}

impl Content {
    fn survivor(&self, keep_new: &mut impl FnMut() -> bool) -> Vec<u8> {
        let mut kept = if keep_new() {
            self.now.clone()
        } else {
            self.synced.clone()
        };
        for at in (0..kept.len()).step_by(SECTOR) {
            let end = kept.len().min(at + SECTOR);
            let old = self.synced.get(at..end.min(self.synced.len())).unwrap_or_default();
            let new = self.now.get(at..end.min(self.now.len())).unwrap_or_default();
            let chosen = if old == new || keep_new() { new } else { old };
            kept[at..end].fill(0);
            kept[at..at + chosen.len()].copy_from_slice(chosen);
        }
        kept
    }
}

fn children(names: &Names, dir: &Path) -> Vec<PathBuf> {
    names
        .keys()
        .filter(|path| path.parent() == Some(dir))
        .cloned()
        .collect()
}

impl Disk for TestDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut state = lock(&self.0);
        for ancestor in dir.ancestors() {
            state.names.entry(ancestor.to_owned()).or_insert(None);
            state.durable.entry(ancestor.to_owned()).or_insert(None);
        }
        Ok(())
    }

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        if mode == OpenMode::CreateNew {
            let mut state = lock(&self.0);
            if state.names.contains_key(path) {
                return Err(ErrorKind::AlreadyExists.into());
            }
            state.names.insert(path.to_owned(), Some(Shared::default()));
        }
        let writable = mode != OpenMode::Read;
        Ok(Arc::new(TestFile {
            disk: self.clone(),
            path: path.to_owned(),
            content: self.content(path)?,
            writable,
        }))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        let state = lock(&self.0);
        let entry = |path: PathBuf| {
            let content = &state.names[&path];
            let len = content.as_ref().map_or(0, |content| lock(content).now.len() as u64);
            DirEntry {
                is_dir: content.is_none(),
                len,
                path,
            }
        };
        Ok(children(&state.names, dir).into_iter().map(entry).collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = lock(&self.0);
        let content = state.names.remove(from).ok_or_else(|| missing(from))?;
        state.names.insert(to.to_owned(), content);
        drop(state);
        self.sync_dir(to.parent().unwrap())?;
        self.sync_dir(from.parent().unwrap())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        lock(&self.0).names.remove(path).map(drop).ok_or_else(|| missing(path))
    }

    fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        lock(&self.0).names.retain(|path, _| !path.starts_with(dir));
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = lock(&self.0);
        let State { names, durable, .. } = &mut *state;
        for path in children(durable, dir) {
            if !names.contains_key(&path) {
                durable.retain(|known, _| !known.starts_with(&path));
            }
        }
        for path in children(names, dir) {
            durable.insert(path.clone(), names[&path].clone());
        }
        Ok(())
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        Ok(lock(&self.0).names.contains_key(path))
    }

    fn hard_link(&self, original: &Path, link: &Path) -> io::Result<()> {
        let content = self.content(original)?;
        lock(&self.0).names.insert(link.to_owned(), Some(content));
        Ok(())
    }

    fn space(&self, _path: &Path) -> io::Result<Option<DiskSpace>> {
        Ok(None)
    }

    fn lock_exclusive(&self, _dir: &Path) -> io::Result<DiskLock> {
        Ok(DiskLock::new(()))
    }
}

impl DiskFile for TestFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let at = offset as usize;
        let content = lock(&self.content);
        let found = content.now.get(at..at + buf.len()).ok_or(ErrorKind::UnexpectedEof)?;
        buf.copy_from_slice(found);
        Ok(())
    }

    fn write_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        let end = offset as usize + data.len();
        let mut content = lock(&self.content);
        let mut state = lock(&self.disk.0);
        if !self.writable {
            return Err(ErrorKind::PermissionDenied.into());
        }
        if state.full && end > content.now.len() {
            return Err(ErrorKind::StorageFull.into());
        }
        state.writes += 1;
        if content.now.len() < end {
            content.now.resize(end, 0);
        }
        content.now[offset as usize..end].copy_from_slice(data);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        lock(&self.content).now.resize(len as usize, 0);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(lock(&self.content).now.len() as u64)
    }

    fn sync_data(&self) -> io::Result<()> {
        if lock(&self.disk.0).fail_syncs {
            return Err(io::Error::other("injected"));
        }
        let mut content = lock(&self.content);
        content.synced = content.now.clone();
        Ok(())
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

#[path = "test_disk_test.rs"]
mod tests;
