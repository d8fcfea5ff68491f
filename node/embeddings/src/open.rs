//! Opens a partition: what the manifest lists, cut to what was durable.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use covey_env::Env;
use half::f16;

use crate::deleted::DeletedBits;
use crate::error::PartitionError;
use crate::folder::{FolderId, FolderWriter, SegmentRows, io_error, read_records};
use crate::locator::{Location, Locator};
use crate::manifest::{FolderEntry, Manifest};
use crate::partition::Partition;
use crate::row::{RowMeta, RowRecord};
use crate::segment::Segment;
use crate::shared::{Counters, Shared};
use crate::space::{PartitionOptions, SpaceSpec};
use crate::tail::{Files, Tail};
use crate::view::View;

/// What an open found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenReport {
    /// Rows that were durable, dead ones included.
    pub durable_rows: u64,
    /// Posts with a live row.
    pub live_rows: u64,
    /// Sealed folders.
    pub segments: u32,
}

impl Partition {
    /// Opens the partition in `dir`, or makes an empty one. Rows that no checkpoint made durable are gone: the caller
    /// appends them again. `live` is asked once per durable row whether the post still has this vector.
    ///
    /// # Errors
    /// Files of another space or a newer program, damaged files, and what the disk says.
    pub fn open(
        env: Env,
        dir: PathBuf,
        space: SpaceSpec,
        options: PartitionOptions,
        live: &dyn Fn(&RowMeta) -> bool,
    ) -> Result<(Partition, OpenReport), PartitionError> {
        space.check()?;
        env.disk.create_dir_all(&dir).map_err(|e| io_error(&dir, e))?;
        let manifest = Manifest::open(&*env.disk, &space, &dir)?;
        let view = View {
            space: Arc::new(space),
            options: Arc::new(options),
            counters: Arc::new(Counters::default()),
            segments: Vec::new(),
            tails: Vec::new(),
        };
        let shared = Arc::new(Shared::new(env, dir, view, manifest.clone()));
        shared.remove_unlisted(&manifest)?;
        shared.load(&manifest)?;
        let mut report = shared.locate(live);
        report.durable_rows = manifest.folders.iter().map(|entry| u64::from(entry.rows)).sum();
        let active = shared.active_tail();
        Ok((Partition { shared, active }, report))
    }
}

impl Shared {
    /// Removes the folders of seals and merges that did not finish.
    fn remove_unlisted(&self, manifest: &Manifest) -> Result<(), PartitionError> {
        let disk = &*self.env.disk;
        let listed: BTreeSet<u32> = manifest.folders.iter().map(|entry| entry.folder).collect();
        for entry in disk.list(&self.dir).map_err(|e| io_error(&self.dir, e))? {
            let folder = FolderId::of_path(&entry.path).filter(|_| entry.is_dir);
            if folder.is_some_and(|folder| !listed.contains(&folder.0)) {
                disk.remove_dir_all(&entry.path).map_err(|e| io_error(&entry.path, e))?;
            }
        }
        disk.sync_dir(&self.dir).map_err(|e| io_error(&self.dir, e))
    }

    fn load(&self, manifest: &Manifest) -> Result<(), PartitionError> {
        let (mut segments, mut tails) = (Vec::new(), Vec::new());
        for entry in &manifest.folders {
            let (folder, rows) = (FolderId(entry.folder), entry.rows as usize);
            if entry.sealed {
                segments.push(Arc::new(Segment::open(self, folder, rows)?));
            } else {
                tails.push(Arc::new(self.load_tail(entry)?));
            }
        }
        let mut state = self.state.lock();
        self.publish(&mut state, |view| (view.segments, view.tails) = (segments, tails));
        Ok(())
    }

    fn load_tail(&self, entry: &FolderEntry) -> Result<Tail, PartitionError> {
        let (disk, space) = (&*self.env.disk, &*self.space);
        let (folder, rows) = (FolderId(entry.folder), entry.rows as usize);
        let dir = folder.dir(&self.dir);
        let writer = FolderWriter::reopen(disk, space, &dir, rows)?;
        let records: Vec<RowRecord> = read_records(disk, space, &dir, rows)?;
        let vectors = SegmentRows::open(disk, space, &dir, rows)?;
        let tail = Tail::new(folder, space.row_len(), writer.capacity());
        for (row, record) in records.into_iter().enumerate() {
            let vector: &[f16] = vectors.range(row, row + 1);
            if !record.matches(vector) {
                return Err(PartitionError::Damaged {
                    path: dir,
                    what: "a row does not match its checksum",
                });
            }
            tail.push(record, vector);
        }
        *tail.files.lock() = Files::Open(writer);
        tail.set_durable(rows);
        Ok(tail)
    }

    /// Finds the live row of every post: the highest version the caller still knows.
    fn locate(&self, live: &dyn Fn(&RowMeta) -> bool) -> OpenReport {
        let view = self.view.load_full();
        let mut state = self.state.lock();
        // Nearly all rows live: a table that grows on the way moves all of them again and again.
        let sealed: usize = view.segments.iter().map(|segment| segment.len()).sum();
        state.locator.reserve(sealed);
        for segment in &view.segments {
            state.locator.add_folder(segment.folder, Arc::clone(&segment.deleted));
            for (row, record) in segment.records.iter().enumerate() {
                let at = Location {
                    folder: segment.folder,
                    row: row as u32,
                };
                place(&mut state.locator, &segment.deleted, at, &record.meta, live);
            }
        }
        for tail in &view.tails {
            state.locator.add_folder(tail.folder, Arc::clone(&tail.deleted));
            tail.for_each_block(|first, block| {
                for (row, record) in block.records.iter().enumerate() {
                    let at = Location {
                        folder: tail.folder,
                        row: first + row as u32,
                    };
                    place(&mut state.locator, &tail.deleted, at, &record.meta, live);
                }
                true
            });
        }
        state.locator.shrink();
        OpenReport {
            durable_rows: 0,
            live_rows: state.locator.len() as u64,
            segments: view.segments.len() as u32,
        }
    }

    /// The tail to append to: the last one if it has room, else a new one.
    fn active_tail(&self) -> Arc<Tail> {
        let view = self.view.load_full();
        if let Some(last) = view.tails.last().filter(|tail| !tail.is_full()) {
            return Arc::clone(last);
        }
        let mut state = self.state.lock();
        let folder = state.new_folder();
        let tail = Arc::new(Tail::new(folder, self.space.row_len(), self.options.seal_rows));
        state.locator.add_folder(folder, Arc::clone(&tail.deleted));
        self.publish(&mut state, |view| view.tails.push(Arc::clone(&tail)));
        tail
    }
}

fn place(locator: &mut Locator, deleted: &DeletedBits, at: Location, meta: &RowMeta, live: &dyn Fn(&RowMeta) -> bool) {
    if !live(meta) || !locator.insert_unless_newer(meta.post, meta.version, at) {
        deleted.set(at.row);
    }
}
