//! Fetches the files of a snapshot into a folder in which each bears the name of its content, so that what is there, is there:
//! whatever ends a transfer, the next one goes on where it stopped, from whichever node, and takes over what other
//! snapshots have in common with this one.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use covey_env::{DiskFile, Env, OpenMode, TokenBucket};
use covey_rpc::NodeClient;
use covey_shared::ids::ShardId;
use covey_shared::wire::{OpenedSnapshot, ReplyBody, RequestBody, SNAPSHOT_CHUNK, SnapshotChunk, SnapshotFile};
use futures::FutureExt;
use futures::future::BoxFuture;

use super::pulls::Pulls;
use crate::question::{AskError, ask};

/// Time for one piece.
const CHUNK_DEADLINE: Duration = Duration::from_secs(10);
/// Suffix of a file that is not verified yet.
const PART: &str = "part";

/// Why a transfer stopped. It is tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// The sender gave nothing, or this node stops.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// What came is not what was sent.
    #[error("{name}: what came does not match its checksum")]
    Damaged {
        /// File of the snapshot.
        name: String,
    },
    /// The snapshot needs more room than there is.
    #[error(
        "the snapshot needs {needed} bytes, the disk has {free} before it is nearly full (storage.min_free_disk_ratio)"
    )]
    NoRoom {
        /// Bytes that are still to come.
        needed: u64,
        /// Bytes that can be written before the disk counts as nearly full.
        free: u64,
    },
    /// The disk failed.
    #[error("{path} cannot be written")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the disk says.
        source: io::Error,
    },
}

/// Gets one piece from the sender.
pub(super) type Ask<'c> = dyn Fn(u64, u32, u64) -> BoxFuture<'c, Result<SnapshotChunk, AskError>> + Send + Sync + 'c;

/// One transfer.
pub(super) struct Fetch<'a, 'c> {
    pub(super) env: &'a Env,
    /// Asks the sender for a piece: id of the snapshot, place of the file, offset.
    pub(super) ask: &'a Ask<'c>,
    pub(super) pulls: &'a Pulls,
    pub(super) bucket: &'a mut TokenBucket,
    /// Share of the disk that stays free.
    pub(super) min_free: f64,
    pub(super) shard: ShardId,
    /// Folder of the files.
    pub(super) dir: &'a Path,
}

/// Asks a node.
pub(super) fn ask_node<'a>(
    client: &'a NodeClient,
) -> impl Fn(u64, u32, u64) -> BoxFuture<'a, Result<SnapshotChunk, AskError>> {
    move |snapshot, file, offset| {
        let body = RequestBody::SnapshotChunk { snapshot, file, offset };
        let answer = ask(client, CHUNK_DEADLINE, body).map(|reply| match reply? {
            ReplyBody::SnapshotChunk(chunk) => Ok(chunk?),
            _ => Err(AskError::Answer),
        });
        answer.boxed()
    }
}

/// Where the file of this content lies once it is verified.
pub(super) fn staged(dir: &Path, file: &SnapshotFile) -> PathBuf {
    dir.join(blake3::Hash::from_bytes(file.hash).to_hex().as_str())
}

impl Fetch<'_, '_> {
    /// Returns once all files are here, verified and on the disk.
    pub(super) async fn run(&mut self, opened: &OpenedSnapshot) -> Result<(), FetchError> {
        let files = &opened.manifest.files;
        let disk = self.env.disk.clone();
        disk.create_dir_all(self.dir).map_err(io_at(self.dir))?;
        self.remove_others(files)?;
        let (mut here, mut total) = (0, 0);
        for file in files {
            total = file.bytes.saturating_add(total);
            here = self.present(file)?.saturating_add(here);
        }
        // Records are written twice: as they come, and into the store.
        let records = files.iter().filter(|file| file.name.starts_with("kv-"));
        let again = records.fold(0_u64, |sum, file| sum.saturating_add(file.bytes));
        self.check_room((total - here).saturating_add(again))?;
        self.pulls.show(self.shard, |status| {
            (status.bytes, status.total_bytes, status.moved_bytes) = (here, total, 0);
        });
        for (place, file) in files.iter().enumerate() {
            if !disk.exists(&staged(self.dir, file)).map_err(io_at(self.dir))? {
                self.file(opened.id, place, file).await?;
            }
        }
        Ok(())
    }

    /// Bytes of a file that need not come again.
    fn present(&self, file: &SnapshotFile) -> Result<u64, FetchError> {
        let (path, disk) = (staged(self.dir, file), &self.env.disk);
        if disk.exists(&path).map_err(io_at(&path))? {
            return Ok(file.bytes);
        }
        let part = path.with_extension(PART);
        match disk.open(&part, OpenMode::Read) {
            Ok(part) => Ok(whole_chunks(part.len().map_err(io_at(part.path()))?.min(file.bytes))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(io_at(&part)(error)),
        }
    }

    /// What an earlier snapshot left and this one does not have.
    fn remove_others(&self, files: &[SnapshotFile]) -> Result<(), FetchError> {
        let wanted: BTreeSet<PathBuf> = files.iter().map(|file| staged(self.dir, file)).collect();
        for entry in self.env.disk.list(self.dir).map_err(io_at(self.dir))? {
            let named = wanted.contains(&entry.path.with_extension(""));
            if !named && entry.path.file_name().is_some_and(|name| name.len() >= HASH_DIGITS) {
                self.env.disk.remove_file(&entry.path).map_err(io_at(&entry.path))?;
            }
        }
        Ok(())
    }

    fn check_room(&self, needed: u64) -> Result<(), FetchError> {
        match self.env.disk.space(self.dir).map_err(io_at(self.dir))? {
            Some(space) => {
                let free = space.free.saturating_sub(space.reserve(self.min_free));
                if free < needed {
                    return Err(FetchError::NoRoom { needed, free });
                }
                Ok(())
            }
            None => Ok(()),
        }
    }

    async fn file(&mut self, id: u64, place: usize, file: &SnapshotFile) -> Result<(), FetchError> {
        let path = staged(self.dir, file);
        let part = path.with_extension(PART);
        let (target, mut at, mut hash) = self.resume(&part, file)?;
        while at < file.bytes {
            if self.pulls.is_closed() {
                return Err(AskError::Stopped.into());
            }
            let place = u32::try_from(place).unwrap_or(u32::MAX);
            let chunk = (self.ask)(id, place, at).await?;
            let expected = (file.bytes - at).min(SNAPSHOT_CHUNK);
            if chunk.data.len() as u64 != expected || crc32c::crc32c(&chunk.data) != chunk.crc {
                return Err(damaged(file));
            }
            target.write_at(&chunk.data, at).map_err(io_at(&part))?;
            hash.update(&chunk.data);
            at += expected;
            self.pulls.show(self.shard, |status| {
                status.bytes += expected;
                status.moved_bytes += expected;
            });
            self.bucket.take(&*self.env.clock, expected).await;
        }
        let disk = &self.env.disk;
        if hash.finalize() != blake3::Hash::from_bytes(file.hash) {
            drop(target);
            disk.remove_file(&part).map_err(io_at(&part))?;
            return Err(damaged(file));
        }
        target.sync_all().map_err(io_at(&part))?;
        drop(target);
        disk.rename(&part, &path).map_err(io_at(&path))
    }

    /// The unverified file, where to go on, and the hash of what is before.
    fn resume(&self, part: &Path, file: &SnapshotFile) -> Result<(Arc<dyn DiskFile>, u64, blake3::Hasher), FetchError> {
        let disk = &self.env.disk;
        let mut hash = blake3::Hasher::new();
        let target = match disk.open(part, OpenMode::ReadWrite) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => disk.open(part, OpenMode::CreateNew),
            opened => opened,
        };
        let target = target.map_err(io_at(part))?;
        let end = whole_chunks(target.len().map_err(io_at(part))?.min(file.bytes));
        let (mut at, mut block) = (0, vec![0; SNAPSHOT_CHUNK as usize]);
        while at < end {
            target.read_at(&mut block, at).map_err(io_at(part))?;
            hash.update(&block);
            at += SNAPSHOT_CHUNK;
        }
        target.set_len(end).map_err(io_at(part))?;
        Ok((target, end, hash))
    }
}

/// Digits of a BLAKE3 hash.
const HASH_DIGITS: usize = 64;

fn whole_chunks(bytes: u64) -> u64 {
    bytes / SNAPSHOT_CHUNK * SNAPSHOT_CHUNK
}

fn damaged(file: &SnapshotFile) -> FetchError {
    FetchError::Damaged {
        name: file.name.clone(),
    }
}

pub(super) fn io_at(path: &Path) -> impl FnOnce(io::Error) -> FetchError {
    let path = path.to_owned();
    move |source| FetchError::Io { path, source }
}

#[cfg(test)]
#[path = "fetch_test.rs"]
mod tests;
