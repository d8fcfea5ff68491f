//! Writes a replica to files.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use covey_embeddings::{PartitionExport, RowMeta};
use covey_env::{Disk, Env};
use covey_shared::ids::PostKey;
use covey_shared::model::{F16Vector, Post};
use covey_shared::wire::{SnapshotFolder, SnapshotManifest};
use covey_store::kv::{KeyRange, KvRead};
use half::f16;

use super::SnapshotError;
use super::hash::hash_file;
use super::kv_file::KvFiles;
use crate::applied::Applied;
use crate::error::ShardStoreError;
use crate::keys::{GENERATION, Keys, Kind, prefix_end};
use crate::read::ShardView;
use crate::records::{PendingRow, PostState, Record};
use crate::row_tag::RowTag;

/// A replica as files, as of one log index. While it lives, the files of its folders stay on the disk; the directory of
/// the others is its owner's.
#[derive(Debug)]
pub struct ShardExport {
    /// What it holds.
    pub manifest: SnapshotManifest,
    /// Where the files of the manifest lie, in its order.
    pub paths: Vec<PathBuf>,
    _pin: PartitionExport,
}

impl ShardView {
    /// Writes all that the replica has applied to files, those that need writing into `dir`, which is made anew. Blocks
    /// on the disk for as long as it takes to copy the posts and to read the vectors once; nobody waits for it.
    ///
    /// # Errors
    /// [`ShardStoreError::Stopped`] after `stop`; a failed store or disk.
    pub fn export(&self, env: &Env, dir: &Path, stop: &dyn Fn() -> bool) -> Result<ShardExport, ShardStoreError> {
        let disk = &*env.disk;
        make_dir(disk, dir).map_err(|source| SnapshotError::io(dir, source))?;
        let (applied, content, mut paths) = self.write_pairs(disk, dir, stop)?;
        let mut names: Vec<String> = paths.iter().filter_map(|path| file_name(path)).collect();
        for file in content.folders.iter().flat_map(|folder| &folder.files) {
            paths.push(file.path.clone());
            names.push(file.name.clone());
        }
        let files = paths.iter().zip(names);
        let files = files.map(|(path, name)| hash_file(disk, path, name, stop));
        let folders = content.folders.iter().map(|folder| SnapshotFolder {
            id: folder.id,
            rows: folder.rows,
        });
        let manifest = SnapshotManifest {
            descriptor: applied.descriptor(self.db.keys.shard),
            index: applied.index,
            term: applied.term,
            files: files.collect::<Result<_, _>>()?,
            folders: folders.collect(),
        };
        Ok(ShardExport {
            manifest,
            paths,
            _pin: content,
        })
    }

    /// What was applied, the vectors of that moment, and the files of its records.
    fn write_pairs(
        &self,
        disk: &dyn Disk,
        dir: &Path,
        stop: &dyn Fn() -> bool,
    ) -> Result<(Applied, PartitionExport, Vec<PathBuf>), ShardStoreError> {
        // One moment: the applied record and its effects are one batch, so it is exact at that index. Each vector of it
        // is in a folder or tail of the same moment, or still has its PendingRow record.
        let (moment, content) = self.reader.export(|| self.db.snapshot());
        let applied = self.applied_at(&*moment)?;
        let mut writer = KvFiles::new(disk, dir, self.db.keys.shard);
        self.write_records(&*moment, &applied, &mut writer, stop)?;
        writer.end_file()?;
        self.write_tail(&*moment, &content, &mut writer, stop)?;
        Ok((applied, content, writer.finish()?))
    }

    fn applied_at(&self, moment: &dyn KvRead) -> Result<Applied, ShardStoreError> {
        let Keys { generation, shard } = self.db.keys;
        let applied = Applied::of(moment, shard, generation)?;
        Ok(applied.ok_or(SnapshotError::Swept { shard })?)
    }

    /// All records of the shard, in key order.
    fn write_records(
        &self,
        moment: &dyn KvRead,
        applied: &Applied,
        writer: &mut KvFiles<'_>,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), ShardStoreError> {
        let keys = &self.db.keys;
        let record = keys.applied();
        let ranges = [keys.slots(applied.slots), (record.clone(), prefix_end(&record))];
        for (start, end) in ranges.into_iter().chain(keys.of_whole_shard()) {
            let mut outcome = Ok(());
            moment.scan(&KeyRange::between(&start, &end), &mut |key, value| {
                outcome = if stop() {
                    Err(ShardStoreError::Stopped)
                } else {
                    writer.push(&key[GENERATION..], value).map_err(ShardStoreError::from)
                };
                match outcome {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                }
            })?;
            outcome?;
        }
        Ok(())
    }

    /// PendingRow records of the rows that lie in the tails only, as far as they count at this moment. Dead ones are
    /// looked at too: they may have died since.
    fn write_tail(
        &self,
        moment: &dyn KvRead,
        content: &PartitionExport,
        writer: &mut KvFiles<'_>,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), ShardStoreError> {
        let mut outcome = Ok(());
        content.for_each_tail_row(|meta, row| {
            outcome = if stop() {
                Err(ShardStoreError::Stopped)
            } else {
                self.write_row(moment, meta, row, writer)
            };
            outcome.is_ok()
        });
        outcome
    }

    fn write_row(
        &self,
        moment: &dyn KvRead,
        meta: &RowMeta,
        row: &[f16],
        writer: &mut KvFiles<'_>,
    ) -> Result<(), ShardStoreError> {
        let keys = &self.db.keys;
        let post = PostKey {
            author: meta.author,
            post: meta.post,
        };
        let pending = keys.of_post(Kind::PendingRow, post);
        if !self.has_row(moment, post, meta)? || moment.get(&pending)?.is_some() {
            return Ok(());
        }
        let vector = row.iter().take(self.content.dim).flat_map(|x| x.to_le_bytes());
        let record = PendingRow {
            model_epoch: self.content.model_epoch,
            version: meta.version,
            tag: meta.tag,
            vector: F16Vector(vector.collect()),
        };
        let record = record.to_bytes().map_err(ShardStoreError::Encode)?;
        Ok(writer.push(&pending[GENERATION..], &record)?)
    }

    /// Whether the row is that of the post at this moment. As when a replica opens, the tag decides too: a post that ran
    /// out may come again with the version that it had.
    fn has_row(&self, moment: &dyn KvRead, post: PostKey, meta: &RowMeta) -> Result<bool, ShardStoreError> {
        let keys = &self.db.keys;
        let state: Option<PostState> = self.db.read_at(moment, &keys.of_post(Kind::PostState, post))?;
        if state.is_none_or(|state| state.version != Some(meta.version)) {
            return Ok(false);
        }
        let body: Option<Post> = self.db.read_at(moment, &keys.of_post(Kind::Post, post))?;
        Ok(body.is_some_and(|body| RowTag::of_post(&body).0 == meta.tag))
    }
}

fn make_dir(disk: &dyn Disk, dir: &Path) -> std::io::Result<()> {
    if disk.exists(dir)? {
        disk.remove_dir_all(dir)?;
    }
    disk.create_dir_all(dir)
}

fn file_name(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_str()?.to_owned())
}

#[cfg(test)]
#[path = "export_test.rs"]
mod tests;
