//! Files. The simulated form loses what was not synced when its host crashes, so callers sync files *and* directories.

use std::any::Any;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// An existing file, for reading.
    Read,
    /// An existing file, for reading and writing.
    ReadWrite,
    /// A new file, for reading and writing; fails with `AlreadyExists` if the name is taken. The name is durable only
    /// after [`Disk::sync_dir`] of its directory.
    CreateNew,
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// The full path.
    pub path: PathBuf,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// Length in bytes; zero for a directory.
    pub len: u64,
}

/// Room on a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskSpace {
    /// Bytes that can still be written.
    pub free: u64,
    /// Free bytes and those in use; what is reserved for the system is in neither.
    pub total: u64,
}

impl DiskSpace {
    /// Bytes of it that a part of `ratio`, 0 to 1, is: what is to stay free. Rounded down; more than `total` for a greater `ratio`.
    #[must_use]
    pub fn reserve(self, ratio: f64) -> u64 {
        (self.total as f64 * ratio) as u64
    }
}

/// Holds a directory lock until dropped.
pub struct DiskLock(#[expect(dead_code, reason = "held only to be dropped")] Box<dyn Any + Send + Sync>);

impl DiskLock {
    /// Wraps whatever releases the lock when it is dropped.
    pub fn new(guard: impl Any + Send + Sync) -> DiskLock {
        DiskLock(Box::new(guard))
    }
}

impl std::fmt::Debug for DiskLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DiskLock")
    }
}

/// A file system. Paths are absolute. Every call may block: never on an arbiter, except at start.
///
/// A file must be closed before it is renamed, and synced before that: the simulated form knows open files by path.
pub trait Disk: Send + Sync {
    /// Makes `dir` and its missing parents. When it returns their names survive a crash, also if a process made them that
    /// ended before it had synced the parent.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;

    /// Opens a file.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>>;

    /// The entries of a directory, sorted by name. One that is removed meanwhile is in it or not.
    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>>;

    /// Renames a file or directory, replacing a file of the new name, and syncs the directories on both sides: after it
    /// returns the new name survives a crash. The content is the caller's to sync, before.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file. It may be back after a crash until [`Disk::sync_dir`].
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes an empty directory; `DirectoryNotEmpty` if it holds anything. It may be back after a crash until the parent is synced.
    fn remove_dir(&self, dir: &Path) -> io::Result<()>;

    /// Removes a directory and all it holds. Parts of it may be back after a crash until the parent is synced.
    fn remove_dir_all(&self, dir: &Path) -> io::Result<()>;

    /// Makes creations, removals and renames in `dir` survive a crash.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Whether there is a file or directory of this name.
    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// A second name for the file `original`. Durable after [`Disk::sync_dir`] of the link's directory.
    fn hard_link(&self, original: &Path, link: &Path) -> io::Result<()>;

    /// Room on the file system of `path`; `None` if the form does not know.
    fn space(&self, path: &Path) -> io::Result<Option<DiskSpace>>;

    /// For how long whoever writes the log has to wait before each turn: a simulated disk cannot block, so a slow one says how slow
    /// it is. Zero for real disks, which block.
    fn simulated_delay(&self) -> Duration {
        Duration::ZERO
    }

    /// Takes the exclusive lock of a data directory (a file `LOCK` in it), without waiting. Fails with `WouldBlock` if
    /// another process holds it. The operating system releases it when the process dies.
    fn lock_exclusive(&self, dir: &Path) -> io::Result<DiskLock>;
}

/// An open file. Reads and writes name their offset, so one handle serves many threads.
#[expect(clippy::len_without_is_empty, reason = "len is a system call that may fail")]
pub trait DiskFile: Send + Sync {
    /// Fills `buf` from `offset`; `UnexpectedEof` if the file ends before.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;

    /// Writes all of `data` at `offset`, lengthening the file if needed. On an error any part may have been written.
    fn write_at(&self, data: &[u8], offset: u64) -> io::Result<()>;

    /// Cuts the file, or lengthens it with zeros.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Makes content and length survive a crash (fdatasync). After an error nothing is known about what was kept: the
    /// only safe answer is to end the process.
    fn sync_data(&self) -> io::Result<()>;

    /// Like [`DiskFile::sync_data`], and the file's attributes too (fsync).
    fn sync_all(&self) -> io::Result<()>;

    /// The path it was opened with.
    fn path(&self) -> &Path;

    /// The descriptor, for a memory map. `None` in simulation.
    fn descriptor(&self) -> Option<BorrowedFd<'_>>;
}

impl dyn Disk + '_ {
    /// The whole of a small file.
    ///
    /// # Errors
    /// `InvalidData` if it is longer than `limit` bytes; else what the disk says.
    pub fn read_file(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let file = self.open(path, OpenMode::Read)?;
        let len = file.len()?;
        if len > limit {
            let text = format!("{} has {len} bytes, more than the {limit} allowed", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        let mut content = vec![0; usize::try_from(len).map_err(io::Error::other)?];
        file.read_at(&mut content, 0)?;
        Ok(content)
    }

    /// Replaces a small file: after a crash it holds either the old or the new content, and after the return the new.
    /// Uses `<path>.tmp` on the way, so there must be one writer per path.
    ///
    /// # Errors
    /// What the disk says; the old content then still stands.
    pub fn replace_file(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut name = path.as_os_str().to_owned();
        name.push(".tmp");
        let temporary = PathBuf::from(name);
        if self.exists(&temporary)? {
            self.remove_file(&temporary)?;
        }
        let file = self.open(&temporary, OpenMode::CreateNew)?;
        file.write_at(content, 0)?;
        file.sync_all()?;
        drop(file);
        self.rename(&temporary, path)
    }
}
