//! A node whose key-value store is damaged, while its log is not, gets its replicas from the others: what is left of its
//! stores is moved aside, and it starts without them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use covey_env::Disk;
use covey_shard::ShardStoreError;

/// Found at the start, it says that the key-value store is damaged.
const MARK: &str = "kv.damaged";
/// Where stores are moved to; a number follows.
const ASIDE: &str = "damaged";
/// The key-value store.
pub const KV: &str = "kv";
/// The log, with votes and acknowledgements.
pub const WAL: &str = "wal";
/// What is not moved.
const STAYS: [&str; 3] = [WAL, "LOCK", MARK];

/// Whether the store was found damaged when the node ran last.
///
/// # Errors
/// What the disk says.
pub fn is_marked(disk: &dyn Disk, dir: &Path) -> io::Result<bool> {
    disk.exists(&dir.join(MARK))
}

/// Moves everything but the log aside, and returns where it is now. What was moved at an earlier time stays, since nothing
/// says that the others could give it all. After a crash on the way the mark is still there, and it is to be called again.
///
/// # Errors
/// What the disk says.
pub fn set_aside(disk: &dyn Disk, dir: &Path) -> io::Result<PathBuf> {
    disk.replace_file(&dir.join(MARK), b"")?;
    let kv = dir.join(KV);
    let earlier = disk.list(dir)?.iter().filter_map(|entry| number(&entry.path)).max();
    // The key-value store goes first: where it is, nothing was moved yet.
    let fresh = disk.exists(&kv)?;
    let aside = dir.join(format!(
        "{ASIDE}.{}",
        earlier.unwrap_or(0) + u64::from(fresh || earlier.is_none())
    ));
    disk.create_dir_all(&aside)?;
    if fresh {
        disk.rename(&kv, &aside.join(KV))?;
        disk.sync_dir(&aside)?;
        disk.sync_dir(dir)?;
    }
    for entry in disk.list(dir)? {
        let name = entry.path.file_name().unwrap_or_default();
        if !STAYS.iter().any(|stays| name == *stays) && number(&entry.path).is_none() {
            disk.rename(&entry.path, &aside.join(name))?;
        }
    }
    disk.sync_dir(&aside)?;
    disk.remove_file(&dir.join(MARK))?;
    disk.sync_dir(dir)?;
    Ok(aside)
}

/// Of a directory to which stores were moved.
fn number(path: &Path) -> Option<u64> {
    let (name, number) = path.file_name()?.to_str()?.split_once('.')?;
    (name == ASIDE).then(|| number.parse().ok()).flatten()
}

/// The mark proved wrong.
///
/// # Errors
/// What the disk says.
pub fn unmark(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    disk.remove_file(&dir.join(MARK))?;
    disk.sync_dir(dir)
}

/// Notices damage of the key-value store while the node runs.
#[derive(Clone)]
pub struct DamageWatch {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
}

impl DamageWatch {
    /// Of the node whose files are in `dir`.
    pub fn new(disk: Arc<dyn Disk>, dir: &Path) -> DamageWatch {
        DamageWatch {
            disk,
            dir: dir.to_owned(),
        }
    }

    /// If this means that the key-value store is damaged, the next start moves it aside. Whether it does.
    pub fn note(&self, error: &ShardStoreError) -> bool {
        if !error.is_kv_damage() {
            return false;
        }
        match self.disk.replace_file(&self.dir.join(MARK), b"") {
            Ok(()) => tracing::error!(
                dir = %self.dir.display(),
                "the key-value store is damaged; what to do is in docs/running.md, under \"Stores are damaged\""
            ),
            Err(error) => tracing::error!(%error, "the key-value store is damaged, which could not be noted"),
        }
        true
    }
}

#[cfg(test)]
#[path = "set_aside_test.rs"]
mod tests;
