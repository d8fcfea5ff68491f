//! Walks the files of a partition's sealed folders and compares what lies on the disk with what was written.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use covey_env::{DiskFile, OpenMode};
use covey_shared::ids::PostId;
use covey_store::rows::{HEADER_BYTES, ReadAtRowFile, RowFile};

use crate::envelope::{FileKind, Recheck};
use crate::folder::{FolderId, index_path, meta_path, reopen_rows, row_bytes};
use crate::manifest::MANIFEST;
use crate::partition::Reader;
use crate::repair::DamagedRow;
use crate::row::{RECORD, RowRecord};
use crate::segment::{Segment, Served};
use crate::shared::Shared;

/// Bytes that a step reads, about.
pub const SCRUB_BLOCK: usize = 256 << 10;
/// Damaged rows that a scrub names; more are counted.
pub const MAX_DAMAGED: usize = 4096;

/// What a scrub has found so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScrubReport {
    /// Live rows that were compared.
    pub rows: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// Live rows that are not what was written, or cannot be read; at most [`MAX_DAMAGED`].
    pub damaged: Vec<DamagedRow>,
    /// Damaged rows beyond those.
    pub unnamed: u64,
    /// Damaged files beside rows. What they hold is in memory too: they are written again, at once or by the maintenance.
    pub files: Vec<PathBuf>,
}

/// One pass over what was sealed when it began, step by step: drop it to stop. It reads without the memory map, so that a
/// sector that cannot be read is an error and not the end of the process. Rows in the system's cache are compared there.
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
        if !walk.files.is_empty() && walk.damaged.is_empty() && !walk.unreadable {
            self.shared.state.lock().rewrite.insert(folder);
        }
        self.report.files.extend(walk.files);
        let room = MAX_DAMAGED - self.report.damaged.len();
        self.report.unnamed += walk.unnamed + walk.damaged.len().saturating_sub(room) as u64;
        let damaged = walk.damaged.into_iter().take(room);
        self.report.damaged.extend(damaged.map(|(row, post)| DamagedRow {
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
    /// Without a name of its own the file is still mapped.
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
    /// The rows could not be looked at.
    unreadable: bool,
}

impl Walk {
    fn new(shared: &Shared, segment: Arc<Segment>) -> Self {
        let (disk, dir) = (&*shared.env.disk, segment.folder.dir(&shared.dir));
        let (mut files, mut unreadable) = (Vec::new(), false);
        let [(rows_path, rows), (ids_path, ids)] = reopen_rows(disk, &shared.space, &dir, segment.len());
        if let Err(error) = rows {
            tracing::error!(%error, "a file of vectors is damaged");
            files.push(rows_path.clone());
        }
        let ids = ids.inspect_err(|_| files.push(ids_path));
        // A damaged header says nothing against the rows behind it.
        let rows = disk.open(&rows_path, OpenMode::Read).inspect_err(|error| {
            unreadable = error.kind() != ErrorKind::NotFound;
        });
        let mut beside = Vec::new();
        // An index that is still to be built has no files that count.
        if let Some(served) = segment.served {
            beside.push((FileKind::Meta, meta_path(&dir)));
            beside.extend((served == Served::Index).then(|| (FileKind::Index, index_path(&dir))));
        }
        let reopen = |(kind, path): (FileKind, PathBuf)| {
            let file = Recheck::open(disk, kind, &path).ok().flatten();
            (path, file)
        };
        Self {
            block: (SCRUB_BLOCK / row_bytes(&shared.space) as usize).max(1),
            width: row_bytes(&shared.space) as usize,
            rows: rows.ok(),
            ids: ids.ok(),
            next: 0,
            beside: beside.into_iter().map(reopen).collect(),
            piece: Vec::new(),
            compared: 0,
            damaged: Vec::new(),
            unnamed: 0,
            files,
            unreadable,
            segment,
        }
    }

    /// Bytes that were read; `None` at the end.
    fn step(&mut self) -> Option<u64> {
        if self.next < self.segment.len() && !self.unreadable {
            let (start, end) = (self.next, self.segment.len().min(self.next + self.block));
            self.next = end;
            return Some(self.compare_ids(start, end) + self.compare_rows(start, end));
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
        let same = file.rows(start as u64..end as u64).is_ok_and(|bytes| {
            let found = bytes.as_chunks::<RECORD>().0;
            found
                .iter()
                .eq(records.iter().map(RowRecord::encode).collect::<Vec<_>>().iter())
        });
        if !same {
            self.files.push(file.path().to_owned());
            self.ids = None;
        }
        ((end - start) * RECORD) as u64
    }

    fn compare_rows(&mut self, start: usize, end: usize) -> u64 {
        let (segment, width) = (&*self.segment, self.width);
        let read = |row: usize, rows: usize| {
            let mut bytes = vec![0; rows * width];
            let file = self.rows.as_ref()?;
            let read = file.read_at(&mut bytes, (HEADER_BYTES + row * width) as u64);
            read.ok().map(|()| bytes)
        };
        let block = read(start, end - start);
        // A page that could not be read once is zeros in the map for good, even if the disk can read it again.
        let mapped = |row: usize, record: &RowRecord| {
            segment.rows.faulted_pages() == 0 || record.matches(segment.rows.range(row, row + 1))
        };
        let sound = |row: usize, record: &RowRecord| match &block {
            Some(block) => record.matches_bytes(&block[(row - start) * width..][..width]),
            None if self.rows.is_none() => record.matches(segment.rows.range(row, row + 1)),
            // Some of it cannot be read: which?
            None => read(row, 1).is_some_and(|bytes| record.matches_bytes(&bytes)),
        };
        for row in (start..end).filter(|&row| !segment.deleted.get(row as u32)) {
            let record = &segment.records[row];
            self.compared += 1;
            if sound(row, record) && mapped(row, record) {
                continue;
            }
            if self.damaged.len() == MAX_DAMAGED {
                self.unnamed += 1;
            } else {
                self.damaged.push((row as u32, record.meta.post));
            }
        }
        block.map_or(0, |block| block.len() as u64)
    }
}

#[cfg(test)]
#[path = "scrub_test.rs"]
mod tests;
