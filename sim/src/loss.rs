//! What a host finds gone from its disk when it starts again.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use covey_embeddings::MANIFEST;
use covey_env::{Disk, OpenMode};
use covey_node::set_aside::set_aside;
use covey_store::kv::{KeyRange, KvBatch, KvError, KvStore};
use parking_lot::Mutex;

/// Keys of posts: generation, slot, kind, author, id.
const POST_KEY: usize = 23;
const KIND: usize = 6;
const POST: u8 = 2;

/// A loss, found at the next start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The whole disk: it is a new one.
    Disk,
    /// The stores: their key-value store was found damaged.
    Stores,
    /// One file of each replica has rotted.
    File,
    /// A record is not there any more, and nothing says so.
    Record,
}

/// The next loss of one host, if there is to be one.
#[derive(Clone, Debug, Default)]
pub(crate) struct NextLoss(Arc<Mutex<Option<Loss>>>);

impl NextLoss {
    pub(crate) fn set(&self, loss: Loss) {
        *self.0.lock() = Some(loss);
    }

    /// What is to be lost now.
    pub(crate) fn take(&self) -> Option<Loss> {
        self.0.lock().take()
    }
}

impl Loss {
    /// Before the stores are opened. Whether there was something to lose.
    pub(crate) fn of_files(self, disk: &dyn Disk, dir: &Path) -> std::io::Result<bool> {
        if !disk.exists(dir)? {
            return Ok(false);
        }
        match self {
            Loss::Disk => {
                empty(disk, dir)?;
                assert!(disk.list(dir)?.is_empty(), "a new disk has nothing on it");
            }
            Loss::Stores => _ = set_aside(disk, dir)?,
            Loss::File => return rot(disk, dir),
            Loss::Record => return Ok(false),
        }
        Ok(true)
    }

    /// Before the replicas are opened. Whether there was something to lose.
    pub(crate) fn of_records(self, kv: &dyn KvStore) -> Result<bool, KvError> {
        if self != Loss::Record {
            return Ok(false);
        }
        let mut posts = Vec::new();
        kv.scan(&KeyRange::all(), &mut |key, _| {
            if key.len() == POST_KEY && key[KIND] == POST {
                posts.push(key.to_vec());
            }
            ControlFlow::Continue(())
        })?;
        let Some(lost) = posts.get(posts.len() / 2) else {
            return Ok(false);
        };
        let mut batch = KvBatch::new();
        batch.delete(lost.clone());
        kv.commit(&batch)?;
        kv.persist()?;
        Ok(true)
    }
}

/// Removes all that a directory holds, for good: nothing of it comes back after a crash.
fn empty(disk: &dyn Disk, dir: &Path) -> std::io::Result<()> {
    for entry in disk.list(dir)? {
        if entry.is_dir {
            empty(disk, &entry.path)?;
            disk.remove_dir_all(&entry.path)?;
        } else {
            disk.remove_file(&entry.path)?;
        }
    }
    disk.sync_dir(dir)
}

/// Flips a byte in the middle of the list of vector folders of each replica that has one.
fn rot(disk: &dyn Disk, dir: &Path) -> std::io::Result<bool> {
    let mut rotten = false;
    for replica in disk.list(dir)?.iter().filter(|entry| entry.is_dir) {
        let path = replica.path.join(MANIFEST);
        if !disk.exists(&path)? {
            continue;
        }
        let file = disk.open(&path, OpenMode::ReadWrite)?;
        let (at, mut byte) = (file.len()? / 2, [0]);
        file.read_at(&mut byte, at)?;
        file.write_at(&[byte[0] ^ 0x10], at)?;
        file.sync_all()?;
        rotten = true;
    }
    Ok(rotten)
}

#[cfg(test)]
#[path = "loss_test.rs"]
mod tests;
