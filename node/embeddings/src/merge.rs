//! Merges neighbouring segments into one, and drops dead ones.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use half::f16;

use crate::builds::Pace;
use crate::checkpoint::flush;
use crate::deleted::DeletedBits;
use crate::error::PartitionError;
use crate::folder::{FolderId, FolderWriter, SegmentRows, row_bytes};
use crate::locator::DROPPED;
use crate::row::{RECORD, RowRecord};
use crate::segment::Segment;
use crate::shared::Shared;

/// Rows copied at a time; also the grain of stopping and of the rate.
const COPY_ROWS: usize = 1024;
/// Posts settled per lock of the locator: about 0.1 ms.
const SETTLE_POSTS: usize = 1024;

type Merged = (Arc<Segment>, Vec<Arc<[u32]>>);

/// What was copied: the records of the new folder, and per source the new number of each of its rows.
struct Copied {
    records: Vec<RowRecord>,
    maps: Vec<Arc<[u32]>>,
}

impl Shared {
    /// Copies the live rows of neighbouring segments, oldest first, into a new one, swaps it in and removes them.
    /// Rows deleted meanwhile are deleted in the new one too. Returns its rows.
    pub(crate) async fn merge(&self, sources: &[Arc<Segment>], pace: &Pace<'_>) -> Result<usize, PartitionError> {
        let folder = self.state.lock().new_folder();
        // It is tried again with another folder: without this, a row that cannot be copied would fill the disk.
        let written = self.write_merged(folder, sources, pace).await;
        let (merged, maps) = written.inspect_err(|_| self.discard(folder))?;
        self.flush_repaired().inspect_err(|_| self.discard(folder))?;
        self.swap_in(sources, &merged, maps);
        self.settle(&merged);
        self.retire(&sources.iter().map(|source| source.folder).collect::<Vec<_>>())?;
        Ok(merged.len())
    }

    /// The merged segment, and per source the new number of each of its rows.
    async fn write_merged(
        &self,
        folder: FolderId,
        sources: &[Arc<Segment>],
        pace: &Pace<'_>,
    ) -> Result<Merged, PartitionError> {
        let dir = folder.dir(&self.dir);
        let (disk, space) = (&*self.env.disk, &*self.space);
        let live = sources.iter().map(|source| source.live()).sum();
        let mut writer = FolderWriter::create(disk, space, &dir, live)?;
        let copied = self.copy(sources, &mut writer, pace).await?;
        writer.seal()?;
        let rows = copied.records.len();
        let segment_rows = SegmentRows::open(disk, space, &dir, rows)?;
        let (index, served) = self.build(folder, &segment_rows, &copied.records, pace).await?;
        let merged = Segment {
            folder,
            rows: Arc::new(segment_rows),
            records: copied.records.into(),
            deleted: Arc::new(DeletedBits::new(rows)),
            index,
            served: Some(served),
        };
        Ok((Arc::new(merged), copied.maps))
    }

    async fn copy(
        &self,
        sources: &[Arc<Segment>],
        writer: &mut FolderWriter,
        pace: &Pace<'_>,
    ) -> Result<Copied, PartitionError> {
        // Read and written.
        let bytes_per_row = 2 * u64::from(row_bytes(&self.space)) + RECORD as u64;
        let mut copied = Copied {
            records: Vec::new(),
            maps: Vec::new(),
        };
        let (mut floats, mut records) = (Vec::<f16>::new(), Vec::<RowRecord>::new());
        for source in sources {
            let alive = source.deleted.alive(source.len());
            let mut map = vec![DROPPED; source.len()];
            for start in (0..source.len()).step_by(COPY_ROWS) {
                self.go_on(pace)?;
                floats.clear();
                records.clear();
                for row in (start..source.len().min(start + COPY_ROWS)).filter(|&row| alive.get(row)) {
                    let record = source.records[row];
                    let at = floats.len();
                    floats.extend_from_slice(source.rows.range(row, row + 1));
                    // The copy is compared: a page of the map may be lost at any moment.
                    if !record.matches(&floats[at..]) {
                        // Somebody may look for it and repair it, then.
                        self.counters.damaged_rows.fetch_add(1, Ordering::Relaxed);
                        let path = source.folder.dir(&self.dir);
                        return Err(PartitionError::Damaged {
                            path,
                            what: "a row does not match its checksum",
                        });
                    }
                    map[row] = (copied.records.len() + records.len()) as u32;
                    records.push(record);
                }
                writer.append(&floats, &records)?;
                copied.records.extend_from_slice(&records);
                self.pass(pace, records.len() as u64 * bytes_per_row).await?;
            }
            copied.maps.push(map.into());
        }
        Ok(copied)
    }

    fn swap_in(&self, sources: &[Arc<Segment>], merged: &Arc<Segment>, maps: Vec<Arc<[u32]>>) {
        let mut state = self.state.lock();
        state.locator.add_folder(merged.folder, Arc::clone(&merged.deleted));
        for (source, map) in sources.iter().zip(maps) {
            state.locator.forward(source.folder, merged.folder, map);
        }
        self.publish(&mut state, |view| {
            let first = view.segments.iter().position(|other| other.folder == sources[0].folder);
            let first = first.expect("only maintenance removes segments, and it runs one step at a time");
            view.segments.splice(first..first + sources.len(), [Arc::clone(merged)]);
        });
    }

    fn settle(&self, merged: &Segment) {
        for records in merged.records.chunks(SETTLE_POSTS) {
            self.state
                .lock()
                .locator
                .settle(records.iter().map(|record| record.meta.post));
        }
    }

    /// Takes segments without a live row out of the view and removes them.
    pub(crate) fn drop_segments(&self, dead: &[FolderId]) -> Result<(), PartitionError> {
        self.flush_repaired()?;
        let mut state = self.state.lock();
        self.publish(&mut state, |view| {
            view.segments.retain(|segment| !dead.contains(&segment.folder))
        });
        drop(state);
        self.retire(dead)
    }

    /// Makes the rows that took the place of damaged ones durable. A folder that has only the damaged one must not go before.
    fn flush_repaired(&self) -> Result<(), PartitionError> {
        if !self.repaired.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let view = self.view.load_full();
        let flushed = view.tails.iter().try_for_each(|tail| flush(self, tail, tail.len()));
        flushed.inspect_err(|_| self.repaired.store(true, Ordering::Release))
    }

    /// Forgets folders that the view does not list any more, and removes them.
    fn retire(&self, folders: &[FolderId]) -> Result<(), PartitionError> {
        let mut state = self.state.lock();
        folders.iter().for_each(|folder| state.locator.remove_folder(*folder));
        state.retired.extend(folders);
        drop(state);
        self.remove_retired()
    }

    /// Removes the retired folders, if there are any, from the manifest and then from the disk, where pinned ones stay
    /// until they are not pinned any more. After an error they are still retired. Searches on an older view keep their
    /// open files.
    pub(crate) fn remove_retired(&self) -> Result<(), PartitionError> {
        if self.state.lock().retired.is_empty() {
            return Ok(());
        }
        self.write_manifest()?;
        let mut state = self.state.lock();
        let retired = std::mem::take(&mut state.retired);
        let (pinned, free): (Vec<_>, Vec<_>) = retired.into_iter().partition(|folder| state.pins.contains_key(folder));
        state.retired = pinned;
        drop(state);
        free.into_iter().for_each(|folder| self.discard(folder));
        Ok(())
    }

    /// Removes a folder that the manifest does not list.
    fn discard(&self, folder: FolderId) {
        let dir = folder.dir(&self.dir);
        match self.env.disk.remove_dir_all(&dir) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::warn!(%error, dir = %dir.display(), "a folder could not be removed, the next start will do it");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "merge_test.rs"]
mod tests;
