//! Takes a snapshot over as a new incarnation of a replica.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use covey_env::{Disk, Env, OpenMode};
use covey_shared::wire::SnapshotManifest;
use covey_store::kv::{KvBatch, KvStore};

use super::names::names;
use super::{SnapshotError, kv_file};
use crate::applied::Applied;
use crate::error::ShardStoreError;
use crate::keys::{Keys, is_of_shard};
use crate::open::OpenReport;
use crate::options::ShardOptions;
use crate::store::ShardStore;

/// Bytes of pairs after which a batch is committed.
const BATCH_BYTES: usize = 4 << 20;

/// A snapshot whose files are here: closed, and checked against their hashes.
pub struct StagedSnapshot<'a> {
    /// What it holds.
    pub manifest: &'a SnapshotManifest,
    /// Where the file of this name lies, on the file system of the replica. It is asked for names of the manifest only.
    pub path_of: &'a dyn Fn(&str) -> PathBuf,
    /// Asked between batches and files.
    pub stop: &'a dyn Fn() -> bool,
}

impl ShardStore {
    /// Makes a replica of a snapshot: files of vectors are moved into `dir`, records are copied into the key-value
    /// store under the generation of `options`, which [`crate::Incarnation::begin`] has picked. All of it is durable
    /// when this returns, and none of it is used before [`crate::Incarnation::switch`]. After an error begin another one:
    /// what this one left is swept. The staged files are as before if a record was refused, and else partly moved.
    ///
    /// # Errors
    /// [`SnapshotError`] if the snapshot is not one of this replica, [`ShardStoreError::Stopped`]; damaged vectors, a
    /// failed store or disk.
    pub fn install(
        env: &Env,
        kv: Arc<dyn KvStore>,
        dir: &Path,
        options: ShardOptions,
        staged: &StagedSnapshot<'_>,
    ) -> Result<(ShardStore, OpenReport), ShardStoreError> {
        let (disk, manifest) = (&*env.disk, staged.manifest);
        // 1. Everything that can be refused.
        let names = names(manifest)?;
        check(&options, manifest)?;
        let ingest = Ingest {
            disk,
            kv: &*kv,
            keys: Keys {
                generation: options.generation,
                shard: options.descriptor.shard,
            },
            staged,
        };
        ingest.run(&names.kv)?;
        // 2. Rows, then the manifest of the vectors, and with the checkpoint those that are in no sealed folder.
        for name in names.vectors {
            stopped(staged)?;
            let (from, to) = ((staged.path_of)(name), dir.join(name));
            move_file(disk, &from, &to).map_err(|source| SnapshotError::io(&from, source))?;
        }
        let folders: Vec<(u32, u32)> = manifest.folders.iter().map(|folder| (folder.id, folder.rows)).collect();
        covey_embeddings::install(disk, dir, &options.content, &folders)?;
        let (mut store, report) = ShardStore::open_quietly(env, Arc::clone(&kv), dir, options)?;
        store.checkpoint()?;
        let copy = (store.view.db.keys.copy(), Some(COPY.to_vec()));
        store.view.db.commit(std::iter::once(copy))?;
        // 3. The records.
        kv.persist()?;
        Ok((store, report))
    }
}

/// Says that it is one.
const COPY: [u8; 1] = [1];

fn check(options: &ShardOptions, manifest: &SnapshotManifest) -> Result<(), SnapshotError> {
    let (theirs, ours) = (&manifest.descriptor, &options.descriptor);
    if theirs.shard != ours.shard {
        return Err(SnapshotError::Differs { what: "shard" });
    }
    if theirs.slots != ours.slots {
        return Err(SnapshotError::Differs { what: "range of slots" });
    }
    Ok(())
}

fn stopped(staged: &StagedSnapshot<'_>) -> Result<(), ShardStoreError> {
    if (staged.stop)() {
        Err(ShardStoreError::Stopped)
    } else {
        Ok(())
    }
}

/// Content first: a name that a crash leaves stands for a whole file.
fn move_file(disk: &dyn Disk, from: &Path, to: &Path) -> std::io::Result<()> {
    if let Some(parent) = to.parent() {
        disk.create_dir_all(parent)?;
    }
    disk.open(from, OpenMode::ReadWrite)?.sync_all()?;
    disk.rename(from, to)
}

/// Copies records into the key-value store.
struct Ingest<'a> {
    disk: &'a dyn Disk,
    kv: &'a dyn KvStore,
    keys: Keys,
    staged: &'a StagedSnapshot<'a>,
}

impl Ingest<'_> {
    fn run(&self, files: &[String]) -> Result<(), ShardStoreError> {
        let manifest = self.staged.manifest;
        let (shard, slots) = (self.keys.shard, manifest.descriptor.slots);
        let applied_key = self.keys.applied();
        let (mut batch, mut bytes) = (KvBatch::new(), 0);
        let mut applied = None;
        for name in files {
            let path = (self.staged.path_of)(name);
            kv_file::read(self.disk, &path, shard, |key, value| {
                if !is_of_shard(key, shard, slots) {
                    let (path, key) = (path.clone(), key.to_vec());
                    return Err(SnapshotError::Foreign { path, key }.into());
                }
                let key = [&self.keys.generation.0.to_be_bytes(), key].concat();
                if key == applied_key {
                    applied = Some(Applied::decode(shard, &key, value)?);
                }
                bytes += key.len() + value.len();
                batch.put(key, value);
                if bytes >= BATCH_BYTES {
                    stopped(self.staged)?;
                    self.kv.commit(&std::mem::take(&mut batch))?;
                    bytes = 0;
                }
                Ok(())
            })?;
        }
        self.kv.commit(&batch)?;
        let applied = applied.ok_or(SnapshotError::Differs { what: "applied record" })?;
        Ok(agrees(&applied, manifest)?)
    }
}

/// The applied record is what the replica goes by, the manifest what Raft is told.
fn agrees(applied: &Applied, manifest: &SnapshotManifest) -> Result<(), SnapshotError> {
    let descriptor = &manifest.descriptor;
    let parts = [
        ("index", applied.index == manifest.index),
        ("term", applied.term == manifest.term),
        ("epoch", applied.epoch == descriptor.epoch),
        ("range of slots", applied.slots == descriptor.slots),
        ("list of members", applied.members == descriptor.members),
    ];
    match parts.iter().find(|(_, agrees)| !agrees) {
        Some((what, _)) => Err(SnapshotError::Differs { what }),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "install_test.rs"]
mod tests;
