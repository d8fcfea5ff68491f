//! Walks the files of a partition's sealed folders and compares what lies on the disk with what was written.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use covey_env::{DiskFile, OpenMode};
use covey_shared::ids::PostId;
use covey_store::is_unreadable;
use covey_store::rows::{HEADER_BYTES, ReadAtRowFile, RowFile};

use crate::envelope::{FileKind, Recheck};
use crate::error::PartitionError;
use crate::folder::{FolderId, index_path, meta_path, reopen_rows, row_bytes};
use crate::manifest::MANIFEST;
use crate::partition::Reader;
use crate::repair::DamagedRow;
use crate::row::RECORD;
use crate::segment::{Segment, Served};
use crate::shared::Shared;

/// Bytes that a step reads, about.
pub const SCRUB_BLOCK: usize = 256 << 10;
/// Damaged rows of a folder that a scrub names; more are counted.
pub const MAX_DAMAGED: usize = 4096;
/// What a disk reads or loses at once.
const PAGE: usize = 4096;

/// What a scrub has found so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScrubReport {
    /// Live rows that were compared.
    pub rows: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// Live rows that are not what was written, or cannot be read, since [`Scrub::take_damaged`]; at most [`MAX_DAMAGED`] per
    /// folder.
    pub damaged: Vec<DamagedRow>,
    /// Damaged rows beyond those.
    pub unnamed: u64,
    /// Damaged files beside rows. What they hold is in memory too: they are written again, at once, by the maintenance, or once
    /// the damaged rows of their folder are made good.
    pub files: Vec<PathBuf>,
}

/// One pass over what was sealed when it began, step by step: drop it to stop. It reads without the memory map: what the disk
/// gives now, not what the map may have lost. Rows in the system's cache are compared there.
pub struct Scrub {
    shared: Arc<Shared>,
    manifest_done: bool,
    /// By number: what is merged away meanwhile is not kept for it.
    waiting: VecDeque<FolderId>,
    walk: Option<Walk>,
    total: u64,
    report: ScrubReport,
}

impl Reader {
    /// Begins a pass.
    pub fn scrub(&self) -> Scrub {
        let view = self.view();
        let row = u64::from(row_bytes(&self.shared.space)) + RECORD as u64;
        Scrub {
            shared: Arc::clone(&self.shared),
            manifest_done: false,
            total: view.segments.iter().map(|segment| segment.len() as u64 * row).sum(),
            waiting: view.segments.iter().map(|segment| segment.folder).collect(),
            walk: None,
            report: ScrubReport::default(),
        }
    }
}

impl Scrub {
    /// Reads on, about [`SCRUB_BLOCK`], and answers how many bytes it read; `None` when it is done. Blocks on the disk.
    pub fn step(&mut self) -> Option<u64> {
        if !self.manifest_done {
            self.manifest_done = true;
            self.manifest();
            return Some(0);
        }
        if self.walk.is_none() {
            let folder = self.waiting.pop_front()?;
            let view = self.shared.view.load();
            let Some(segment) = view.segments.iter().find(|segment| segment.folder == folder) else {
                return Some(0);
            };
            self.walk = Some(Walk::new(&self.shared, Arc::clone(segment)));
        }
        let walk = self.walk.as_mut().expect("it was begun");
        let bytes = walk.step();
        self.report.bytes += bytes.unwrap_or(0);
        if bytes.is_none() {
            self.end_walk();
        }
        Some(bytes.unwrap_or(0))
    }

    /// The damaged rows that were found since the last call: those of a whole folder at a time.
    pub fn take_damaged(&mut self) -> Vec<DamagedRow> {
        std::mem::take(&mut self.report.damaged)
    }

    /// What was found so far.
    pub fn report(&self) -> &ScrubReport {
        &self.report
    }

    /// Bytes of all rows that it reads; indexes come on top.
    pub fn total_bytes(&self) -> u64 {
        self.total
    }

    fn manifest(&mut self) {
        match self.shared.recheck_manifest() {
            Ok(false) => {}
            Ok(true) => self.report.files.push(self.shared.dir.join(MANIFEST)),
            Err(error) => {
                tracing::error!(%error, "a damaged manifest cannot be written again, the next checkpoint or scrub tries it");
                self.report.files.push(self.shared.dir.join(MANIFEST));
            }
        }
    }

    /// Takes over what was found in a segment, unless it was merged meanwhile: then its files are gone, and what was copied of
    /// them was compared.
    fn end_walk(&mut self) {
        let Some(walk) = self.walk.take() else { return };
        let folder = walk.segment.folder;
        let view = self.shared.view.load();
        self.report.rows += walk.compared;
        if view.segments.iter().all(|segment| segment.folder != folder) {
            return;
        }
        // What the map has lost comes back with a new one, from files that are sound.
        let lost = walk.segment.rows.faulted_pages() > 0;
        if (lost || !walk.files.is_empty()) && walk.damaged.is_empty() {
            self.shared.state.lock().rewrite.insert(folder);
        }
        self.report.files.extend(walk.files);
        self.report.unnamed += walk.unnamed;
        self.report
            .damaged
            .extend(walk.damaged.into_iter().map(|(row, post)| DamagedRow {
                post,
                folder: folder.0,
                row,
            }));
    }
}

/// The way through one segment.
struct Walk {
    segment: Arc<Segment>,
    /// Bytes of a row.
    width: usize,
    /// Without it, since its name is gone or there are too many open files, the map is compared.
    rows: Option<Arc<dyn DiskFile>>,
    ids: Option<ReadAtRowFile>,
    /// Rows of a step.
    block: usize,
    next: usize,
    /// The files beside the rows that are still to be read.
    beside: VecDeque<(PathBuf, Option<Recheck>)>,
    piece: Vec<u8>,
    compared: u64,
    /// At most [`MAX_DAMAGED`]; more are counted.
    damaged: Vec<(u32, PostId)>,
    unnamed: u64,
    files: Vec<PathBuf>,
}

impl Walk {
    fn new(shared: &Shared, segment: Arc<Segment>) -> Self {
        let (disk, dir) = (&*shared.env.disk, segment.folder.dir(&shared.dir));
        let mut files = Vec::new();
        let [(rows_path, rows), (ids_path, ids)] = reopen_rows(disk, &shared.space, &dir, segment.len());
        // A damaged header says nothing against the rows behind it.
        let reopened = disk.open(&rows_path, OpenMode::Read);
        files.extend(rows.err().filter(is_damaged).map(|_| rows_path));
        let ids = ids.map_err(|error| files.extend(is_damaged(&error).then_some(ids_path)));
        let mut beside = Vec::new();
        // An index that is still to be built has no files that count.
        if let Some(served) = segment.served {
            beside.push((FileKind::Meta, meta_path(&dir)));
            beside.extend((served == Served::Index).then(|| (FileKind::Index, index_path(&dir))));
        }
        let reopen = |(kind, path): (FileKind, PathBuf)| match Recheck::open(disk, kind, &path) {
            Err(error) if !is_unreadable(&error) => {
                tracing::warn!(%error, path = %path.display(), "a file cannot be read again now");
                None
            }
            opened => Some((path, opened.ok().flatten())),
        };
        Self {
            block: (SCRUB_BLOCK / row_bytes(&shared.space) as usize).max(1),
            width: row_bytes(&shared.space) as usize,
            rows: reopened.ok(),
            ids: ids.ok(),
            next: 0,
            beside: beside.into_iter().filter_map(reopen).collect(),
            piece: Vec::new(),
            compared: 0,
            damaged: Vec::new(),
            unnamed: 0,
            files,
            segment,
        }
    }

    /// Bytes that were read; `None` at the end.
    fn step(&mut self) -> Option<u64> {
        if self.next < self.segment.len() {
            let end = self.segment.len().min(self.next + self.block);
            return Some(self.compare(self.next, end));
        }
        let (path, file) = self.beside.front_mut()?;
        self.piece.resize(SCRUB_BLOCK, 0);
        let read = file.as_mut().map(|file| file.read_on(&mut self.piece));
        if let Some(Ok(bytes @ 1..)) = read {
            return Some(bytes as u64);
        }
        if !file.as_ref().is_some_and(Recheck::is_sound) {
            self.files.push(std::mem::take(path));
        }
        self.beside.pop_front();
        Some(0)
    }

    fn compare_ids(&mut self, start: usize, end: usize) -> u64 {
        let Some(file) = &self.ids else { return 0 };
        let records = &self.segment.records[start..end];
        let same = file.rows(start as u64..end as u64).map(|bytes| {
            let found = bytes.as_chunks::<RECORD>().0;
            found.len() == records.len()
                && found
                    .iter()
                    .zip(records)
                    .all(|(found, record)| *found == record.encode())
        });
        if !same.unwrap_or_else(|error| !error.is_damage()) {
            self.files.push(file.path().to_owned());
            self.ids = None;
        }
        ((end - start) * RECORD) as u64
    }

    /// Bytes that were read, or tried.
    fn compare(&mut self, start: usize, end: usize) -> u64 {
        let all = (end - start) * self.width;
        let pages = (PAGE / self.width).max(1);
        let bytes = match self.read_rows(start, all) {
            // Some of it is lost. Page by page, each in a step of its own: a disk may try for seconds.
            Some(Err(())) if end - start > pages => {
                self.block = pages;
                return all as u64;
            }
            Some(read) => Some(read.unwrap_or_default()),
            None => None,
        };
        self.block = (self.block * 2).min((SCRUB_BLOCK / self.width).max(1));
        self.next = end;
        let segment = &*self.segment;
        for row in (start..end).filter(|&row| !segment.deleted.get(row as u32)) {
            let record = &segment.records[row];
            let sound = match &bytes {
                Some(bytes) => bytes
                    .get((row - start) * self.width..(row + 1 - start) * self.width)
                    .is_some_and(|row| record.matches_bytes(row)),
                None => record.matches(segment.rows.range(row, row + 1)),
            };
            self.compared += 1;
            if sound {
                continue;
            }
            if self.damaged.len() == MAX_DAMAGED {
                self.unnamed += 1;
            } else {
                self.damaged.push((row as u32, record.meta.post));
            }
        }
        all as u64 + self.compare_ids(start, end)
    }

    /// What there is of these bytes of rows; `None` without a file.
    fn read_rows(&self, start: usize, all: usize) -> Option<Result<Vec<u8>, ()>> {
        let (file, offset) = (self.rows.as_ref()?, (HEADER_BYTES + start * self.width) as u64);
        let there = file
            .len()
            .map_or(all as u64, |len| len.saturating_sub(offset).min(all as u64));
        let mut bytes = vec![0; there as usize];
        Some(file.read_at(&mut bytes, offset).map(|()| bytes).map_err(|_| ()))
    }
}

fn is_damaged(error: &PartitionError) -> bool {
    let damaged = error.is_damage();
    if !damaged {
        tracing::warn!(%error, "a file cannot be read again now");
    }
    damaged
}

#[cfg(test)]
#[path = "scrub_test.rs"]
mod tests;
