//! Lends the files of a partition: what a peer copies to have the same vectors.

use std::path::PathBuf;
use std::sync::Arc;

use half::f16;

use crate::install::FolderFiles;
use crate::partition::Reader;
use crate::row::RowMeta;
use crate::segment::{Segment, Served};
use crate::shared::Shared;
use crate::tail::BLOCK;
use crate::view::View;

/// How often to look for a moment without a change of the view. Changes are seconds apart, a look takes microseconds.
const LOOKS: usize = 16;

/// A file that will not change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedFile {
    /// For example `000012/rows.emb`; see [`FolderFiles`].
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
}

/// A sealed folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedFolder {
    /// Its number.
    pub id: u32,
    /// Its rows, dead ones included.
    pub rows: u32,
    /// Its files. Without `meta` if its index has still to be built.
    pub files: Vec<ExportedFile>,
}

/// The sealed folders and the tails of one view. While it lives, the folders stay on the disk, merged or not.
#[derive(Debug)]
pub struct PartitionExport {
    /// Sealed folders, oldest rows first.
    pub folders: Vec<ExportedFolder>,
    pin: Pin,
}

impl Reader {
    /// Exports what there is when `moment` runs, and returns what that returned: each row that is alive then is in a
    /// folder or a tail of the export, beside dead ones and, in the tails, later ones. `moment` may run a few times.
    pub fn export<T>(&self, mut moment: impl FnMut() -> T) -> (T, PartitionExport) {
        for _ in 0..LOOKS {
            let pin = Pin::new(&self.shared);
            let value = moment();
            // A merge in between could have left out a row that died after the moment.
            if Arc::ptr_eq(&pin.view, &self.view()) {
                return (value, PartitionExport::new(pin));
            }
        }
        // Such rows are missing, then: what killed them comes later in the log, so they are not missed for long.
        let value = moment();
        (value, PartitionExport::new(Pin::new(&self.shared)))
    }
}

impl PartitionExport {
    fn new(pin: Pin) -> Self {
        let folders = pin.view.segments.iter().map(|segment| exported(&pin.shared, segment));
        Self {
            folders: folders.collect(),
            pin,
        }
    }

    /// Calls `visit` with every row of the tails, dead ones included, oldest first, until it answers false. It may take
    /// its time: it gets copies.
    pub fn for_each_tail_row(&self, mut visit: impl FnMut(&RowMeta, &[f16]) -> bool) {
        let row_len = self.pin.shared.space.row_len();
        let (mut rows, mut records) = (Vec::new(), Vec::new());
        for tail in &self.pin.view.tails {
            let len = tail.len();
            for start in (0..len).step_by(BLOCK) {
                rows.clear();
                records.clear();
                tail.copy_rows(start, len.min(start + BLOCK), &mut rows, &mut records);
                for (record, row) in records.iter().zip(rows.chunks(row_len)) {
                    if !visit(&record.meta, row) {
                        return;
                    }
                }
            }
        }
    }
}

/// The files of a sealed folder that are final: rows always; `meta` and the index only once they are served, since
/// nothing but the building of a missing index replaces them.
fn exported(shared: &Shared, segment: &Segment) -> ExportedFolder {
    let names = FolderFiles::of(segment.folder.0);
    let mut files = vec![names.rows, names.ids];
    files.extend(segment.served.map(|_| names.meta));
    files.extend(
        segment
            .served
            .filter(|served| *served == Served::Index)
            .map(|_| names.index),
    );
    let file = |name: String| ExportedFile {
        path: shared.dir.join(&name),
        name,
    };
    ExportedFolder {
        id: segment.folder.0,
        rows: segment.len() as u32,
        files: files.into_iter().map(file).collect(),
    }
}

/// Keeps the folders of a view on the disk.
#[derive(Debug)]
struct Pin {
    shared: Arc<Shared>,
    view: Arc<View>,
}

impl Pin {
    fn new(shared: &Arc<Shared>) -> Self {
        // Under the lock: a folder that the view lists is not retired before it is pinned.
        let mut state = shared.state.lock();
        let view = shared.view.load_full();
        for segment in &view.segments {
            *state.pins.entry(segment.folder).or_default() += 1;
        }
        Self {
            shared: Arc::clone(shared),
            view,
        }
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        for segment in &self.view.segments {
            let count = state
                .pins
                .get_mut(&segment.folder)
                .expect("it was pinned with this view");
            *count -= 1;
            if *count == 0 {
                state.pins.remove(&segment.folder);
            }
        }
    }
}

#[cfg(test)]
#[path = "export_test.rs"]
mod tests;
