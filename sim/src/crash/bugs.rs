//! Defects that the crash matrix must find, put between healthy code and a healthy disk.

use std::io;
use std::ops::ControlFlow;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use covey_env::{DirEntry, Disk, DiskFile, DiskLock, DiskSpace, OpenMode};
use covey_store::kv::{KeyRange, KvBatch, KvError, KvRead, KvStore, KvUsage, Visit};
use covey_store::test_disk::TestDisk;

/// A defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Bug {
    /// Syncs of files return at once and do nothing.
    SkipFsync,
    /// Syncs of directories return at once and do nothing.
    SkipDirFsync,
    /// The log is cut up to what is applied, before that is durable.
    CompactEarly,
    /// A file gets its name first and is synced then.
    SwapBeforeFsync,
    /// The applied index is committed in a batch of its own, before the effects.
    AppliedApart,
}

/// The disk with a defect, if the defect is one of disks.
pub(super) fn disk(disk: &TestDisk, bug: Option<Bug>) -> Arc<dyn Disk> {
    match bug {
        Some(bug @ (Bug::SkipFsync | Bug::SkipDirFsync | Bug::SwapBeforeFsync)) => Arc::new(BuggyDisk {
            disk: disk.clone(),
            bug,
        }),
        _ => disk.shared(),
    }
}

/// The key-value store with a defect, if the defect is one of stores.
pub(super) fn kv(kv: Arc<dyn KvStore>, bug: Option<Bug>) -> Arc<dyn KvStore> {
    match bug {
        Some(Bug::AppliedApart) => Arc::new(AppliedApart(kv)),
        _ => kv,
    }
}

struct BuggyDisk {
    disk: TestDisk,
    bug: Bug,
}

struct UnsyncedFile(Arc<dyn DiskFile>);

fn is_temporary(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "tmp")
}

impl Disk for BuggyDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        if self.bug != Bug::SkipDirFsync {
            return self.disk.create_dir_all(dir);
        }
        let mut ancestors: Vec<&Path> = dir.ancestors().collect();
        ancestors.reverse();
        for dir in ancestors {
            if !self.disk.exists(dir)? {
                self.disk.make_dir_unsynced(dir)?;
            }
        }
        Ok(())
    }

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.disk.open(path, mode)?;
        let unsynced = match self.bug {
            Bug::SkipFsync => true,
            Bug::SwapBeforeFsync => is_temporary(path),
            _ => false,
        };
        Ok(if unsynced { Arc::new(UnsyncedFile(file)) } else { file })
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        self.disk.list(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.bug == Bug::SkipDirFsync {
            return self.disk.rename_unsynced(from, to);
        }
        self.disk.rename(from, to)?;
        if self.bug == Bug::SwapBeforeFsync {
            self.disk.open(to, OpenMode::ReadWrite)?.sync_all()?;
        }
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.disk.remove_file(path)
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.remove_dir(dir)
    }

    fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.disk.remove_dir_all(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        if self.bug == Bug::SkipDirFsync {
            Ok(())
        } else {
            self.disk.sync_dir(dir)
        }
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.disk.exists(path)
    }

    fn hard_link(&self, original: &Path, link: &Path) -> io::Result<()> {
        self.disk.hard_link(original, link)
    }

    fn space(&self, path: &Path) -> io::Result<Option<DiskSpace>> {
        self.disk.space(path)
    }

    fn lock_exclusive(&self, dir: &Path) -> io::Result<DiskLock> {
        self.disk.lock_exclusive(dir)
    }
}

impl DiskFile for UnsyncedFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_at(buf, offset)
    }

    fn write_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_at(data, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn sync_all(&self) -> io::Result<()> {
        Ok(())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

/// Commits the applied record first, and what it speaks of then.
#[derive(Debug)]
struct AppliedApart(Arc<dyn KvStore>);

/// Keys are generation 4, slot 2, kind 1, id: the applied record is of the slot behind all slots, and of kind 0.
fn is_applied(key: &[u8]) -> bool {
    key.get(4..7) == Some(&[0xff, 0xff, 0])
}

impl KvRead for AppliedApart {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, KvError> {
        self.0.get(key)
    }

    fn scan(&self, range: &KeyRange, visit: &mut Visit<'_>) -> Result<(), KvError> {
        self.0
            .scan(range, &mut |key, value| -> ControlFlow<()> { visit(key, value) })
    }
}

impl KvStore for AppliedApart {
    fn snapshot(&self) -> Box<dyn KvRead> {
        self.0.snapshot()
    }

    fn commit(&self, batch: &KvBatch) -> Result<(), KvError> {
        let (mut applied, mut effects) = (KvBatch::new(), KvBatch::new());
        for (key, value) in batch.iter() {
            let part = if is_applied(key) { &mut applied } else { &mut effects };
            match value {
                Some(value) => part.put(key, value),
                None => part.delete(key),
            };
        }
        self.0.commit(&applied)?;
        self.0.commit(&effects)
    }

    fn persist(&self) -> Result<(), KvError> {
        self.0.persist()
    }

    fn usage(&self) -> Result<KvUsage, KvError> {
        self.0.usage()
    }
}
