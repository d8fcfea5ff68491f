//! The simulated disk: a crash loses what was not synced, directory entries included, and tears what was on its way.

use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use covey_env::{DirEntry, Disk, DiskFile, DiskLock, DiskSpace, OpenMode};
use turmoil::fs::shim::std::fs;

/// A defect that the simulator must find.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DiskFault {
    /// None: the disk keeps its promises.
    #[default]
    None,
    /// fsync of files returns at once and does nothing.
    SkipFileSync,
    /// fsync of directories returns at once and does nothing.
    SkipDirectorySync,
}

/// Room on a host's disk, for all lives of the host. By default nobody looks after it: there is enough, and it does not say so.
#[derive(Clone, Debug, Default)]
pub(crate) struct Room(Option<Arc<Free>>);

#[derive(Debug)]
struct Free {
    /// In thousandths of the disk. With none, whatever grows is refused.
    thousandths: AtomicU64,
    /// How often something was.
    refused: AtomicU64,
}

impl Room {
    /// A disk that says that this many thousandths of it are free.
    pub(crate) fn free(thousandths: u64) -> Room {
        Room(Some(Arc::new(Free {
            thousandths: AtomicU64::new(thousandths),
            refused: AtomicU64::new(0),
        })))
    }

    /// Changes what a disk made by [`Room::free`] has.
    pub(crate) fn set(&self, thousandths: u64) {
        let free = self.0.as_ref().expect("made with a number");
        free.thousandths.store(thousandths, Ordering::Relaxed);
    }

    /// How often there was no room.
    pub(crate) fn refused(&self) -> u64 {
        self.0.as_ref().map_or(0, |free| free.refused.load(Ordering::Relaxed))
    }

    /// Asked before something grows.
    fn take(&self) -> io::Result<()> {
        match &self.0 {
            Some(free) if free.thousandths.load(Ordering::Relaxed) == 0 => {
                free.refused.fetch_add(1, Ordering::Relaxed);
                Err(io::ErrorKind::StorageFull.into())
            }
            _ => Ok(()),
        }
    }

    fn space(&self) -> Option<DiskSpace> {
        self.0.as_ref().map(|free| DiskSpace {
            free: free.thousandths.load(Ordering::Relaxed) << 20,
            total: 1000 << 20,
        })
    }
}

/// How long a host's disk takes to sync the log, in milliseconds, for all lives of the host. By default it takes no time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pace(Arc<AtomicU64>);

impl Pace {
    /// Changes it.
    #[cfg(test)]
    pub(crate) fn set(&self, ms: u64) {
        self.0.store(ms, Ordering::Relaxed);
    }
}

pub(super) struct SimDisk {
    pub(super) fault: DiskFault,
    pub(super) room: Room,
    pub(super) pace: Pace,
}

struct SimFile {
    file: fs::File,
    path: PathBuf,
    fault: DiskFault,
    room: Room,
}

impl Disk for SimDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut missing: Vec<&Path> = dir.ancestors().take_while(|d| !fs::exists(d)).collect();
        missing.reverse();
        // Whoever made the last one that exists may have ended before its name was synced.
        let known = missing.first().map_or(Some(dir), |new| new.parent());
        if let Some(parent) = known.and_then(Path::parent) {
            self.sync_dir(parent)?;
        }
        for new in missing {
            self.room.take()?;
            fs::create_dir(new)?;
            if let Some(parent) = new.parent() {
                self.sync_dir(parent)?;
            }
        }
        Ok(())
    }

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let file = match mode {
            OpenMode::Read => fs::OpenOptions::new().read(true).open(path)?,
            OpenMode::ReadWrite => fs::OpenOptions::new().read(true).write(true).open(path)?,
            OpenMode::CreateNew => {
                self.room.take()?;
                fs::OpenOptions::new()
                    .read(true)
                    .write(true)
                    .create_new(true)
                    .open(path)?
            }
        };
        Ok(Arc::new(SimFile {
            file,
            path: path.to_owned(),
            fault: self.fault,
            room: self.room.clone(),
        }))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let meta = entry.metadata()?;
            let len = if meta.is_dir() { 0 } else { meta.len() };
            entries.push(DirEntry {
                path: entry.path(),
                is_dir: meta.is_dir(),
                len,
            });
        }
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        // The simulated file system keeps unsynced writes by path: those to the replaced file would land in the new one.
        if fs::exists(to) && !fs::metadata(to)?.is_dir() {
            fs::OpenOptions::new().write(true).open(to)?.sync_all()?;
        }
        fs::rename(from, to)?;
        for side in [from.parent(), to.parent()].into_iter().flatten() {
            self.sync_dir(side)?;
        }
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        // The simulated file system refuses it too, with another kind of error.
        match fs::read_dir(dir)?.next() {
            Some(_) => Err(io::ErrorKind::DirectoryNotEmpty.into()),
            None => fs::remove_dir(dir),
        }
    }

    fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        fs::remove_dir_all(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        if self.fault == DiskFault::SkipDirectorySync {
            Ok(())
        } else {
            fs::sync_dir(dir)
        }
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        Ok(fs::exists(path))
    }

    fn hard_link(&self, original: &Path, link: &Path) -> io::Result<()> {
        self.room.take()?;
        fs::hard_link(original, link)
    }

    fn space(&self, _: &Path) -> io::Result<Option<DiskSpace>> {
        Ok(self.room.space())
    }

    fn simulated_delay(&self) -> Duration {
        Duration::from_millis(self.pace.0.load(Ordering::Relaxed))
    }

    fn lock_exclusive(&self, _: &Path) -> io::Result<DiskLock> {
        // One host runs one process.
        Ok(DiskLock::new(()))
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buf, offset)
    }

    fn write_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        if offset + data.len() as u64 > self.len()? {
            self.room.take()?;
        }
        self.file.write_all_at(data, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        if len > self.len()? {
            self.room.take()?;
        }
        self.file.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.fault == DiskFault::SkipFileSync {
            Ok(())
        } else {
            self.file.sync_data()
        }
    }

    fn sync_all(&self) -> io::Result<()> {
        if self.fault == DiskFault::SkipFileSync {
            Ok(())
        } else {
            self.file.sync_all()
        }
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}
