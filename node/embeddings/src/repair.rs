//! Puts a sound copy in the place of a damaged row.

use std::sync::atomic::Ordering;

use covey_shared::ids::PostId;
use half::f16;

use crate::folder::FolderId;
use crate::locator::Location;
use crate::partition::{Partition, Reader};

/// A live row of a sealed folder that is not what was written, as a [`crate::Scrub`] found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DamagedRow {
    /// Whose vector it is.
    pub post: PostId,
    /// Number of the folder.
    pub folder: u32,
    /// Where in the folder.
    pub row: u32,
}

impl DamagedRow {
    fn at(&self) -> Location {
        Location {
            folder: FolderId(self.folder),
            row: self.row,
        }
    }
}

/// What became of a repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repaired {
    /// The copy is served now, and the damaged row is dead.
    Done,
    /// The post has another row by now: a newer version, or an earlier repair's.
    NotDamaged,
    /// The post has no row any more.
    NoSuchRow,
    /// The copy is not what was written, or of another version.
    DoesNotMatch,
}

impl Partition {
    /// Puts a copy in the place of a damaged row, if its checksum says that it is what was written: who gives it need not be
    /// trusted. It is appended like a new row, and durable with the next checkpoint; should the process end before, the
    /// damaged row is there again, to be found again.
    pub fn repair(&mut self, damaged: &DamagedRow, copy: &[f16]) -> Repaired {
        let Some((at, version)) = self.shared.state.lock().locator.find(damaged.post) else {
            return Repaired::NoSuchRow;
        };
        let view = self.shared.view.load_full();
        let segment = view.segments.iter().find(|segment| segment.folder == at.folder);
        let Some(segment) = segment.filter(|_| at == damaged.at()) else {
            return Repaired::NotDamaged;
        };
        let record = segment.records[at.row as usize];
        if copy.len() != self.shared.space.row_len() || !record.matches(copy) {
            return Repaired::DoesNotMatch;
        }
        if self.active.is_full() {
            self.seal();
        }
        let to = Location {
            folder: self.active.folder,
            row: self.active.push(record, copy),
        };
        // Said before the damaged row dies, of a copy that is there: what drops dead rows makes it durable first.
        self.shared.repaired.store(true, Ordering::Release);
        self.shared.state.lock().locator.insert(damaged.post, version, to);
        Repaired::Done
    }
}

impl Reader {
    /// Has the maintenance copy the folders of these rows into new ones: their place on the disk is bad. Call it when all
    /// damaged rows of these folders are repaired; a folder with another one is left as it is.
    pub fn rewrite(&self, damaged: &[DamagedRow]) {
        let mut state = self.shared.state.lock();
        state.rewrite.extend(damaged.iter().map(|row| FolderId(row.folder)));
    }

    /// Whether the post still has this very row: it was not deleted, replaced or repaired.
    pub fn still_has(&self, damaged: &DamagedRow) -> bool {
        let found = self.shared.state.lock().locator.find(damaged.post);
        found.is_some_and(|(at, _)| at == damaged.at())
    }

    /// How often searches and merges met a damaged row since the start.
    pub fn damaged_rows(&self) -> u64 {
        self.shared.counters.damaged_rows.load(Ordering::Relaxed)
    }

    /// How often more pages than before were found lost to the maps of sealed rows since the partition was opened.
    pub fn lost_pages(&self) -> u64 {
        self.shared.counters.losses.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
#[path = "repair_test.rs"]
mod tests;
