//! What searches see: an immutable list of segments and tails, published as one `Arc`.

use std::ops::Range;
use std::sync::Arc;

use half::f16;

use crate::folder::FolderId;
use crate::plan::{Size, next_merge};
use crate::row::RowMeta;
use crate::segment::Segment;
use crate::shared::Counters;
use crate::space::{PartitionOptions, SpaceSpec};
use crate::tail::Tail;

/// A point-in-time list of what there is to search. Deletes and rows appended to its tail become visible in it until the
/// next seal or merge, which publish a new one. Cheap to take; take one per request.
#[derive(Debug)]
pub struct View {
    pub(crate) space: Arc<SpaceSpec>,
    pub(crate) options: Arc<PartitionOptions>,
    pub(crate) counters: Arc<Counters>,
    /// Sealed, oldest rows first.
    pub(crate) segments: Vec<Arc<Segment>>,
    /// Not yet sealed, oldest rows first; the last one is appended to.
    pub(crate) tails: Vec<Arc<Tail>>,
}

impl View {
    /// The space of the vectors.
    pub fn space(&self) -> &SpaceSpec {
        &self.space
    }

    /// Rows, dead ones included.
    pub fn rows(&self) -> usize {
        self.segments.iter().map(|s| s.len()).sum::<usize>() + self.unsealed_rows()
    }

    /// Rows that are alive.
    pub fn live_rows(&self) -> usize {
        let tails = self.tails.iter().map(|t| t.len().saturating_sub(t.deleted.count()));
        self.segments.iter().map(|s| s.live()).sum::<usize>() + tails.sum::<usize>()
    }

    pub(crate) fn unsealed_rows(&self) -> usize {
        self.tails.iter().map(|tail| tail.len()).sum()
    }

    /// The segments that are to become one next.
    pub(crate) fn merge_due(&self) -> Option<Range<usize>> {
        let size = |segment: &Arc<Segment>| Size {
            rows: segment.len(),
            live: segment.live(),
        };
        let sizes: Vec<Size> = self.segments.iter().map(size).collect();
        next_merge(&sizes, &self.options)
    }

    /// Calls `visit` with every live row, oldest first, until it answers false. It must not append to this partition.
    pub fn for_each_live(&self, mut visit: impl FnMut(&RowMeta, &[f16]) -> bool) {
        let row_len = self.space.row_len();
        for segment in &self.segments {
            for (row, record) in segment.records.iter().enumerate() {
                let alive = !segment.deleted.get(row as u32);
                if alive && !visit(&record.meta, segment.rows.range(row, row + 1)) {
                    return;
                }
            }
        }
        let mut going = true;
        for tail in &self.tails {
            tail.for_each_block(|first, block| {
                for (at, record) in block.records.iter().enumerate() {
                    let alive = !tail.deleted.get(first + at as u32);
                    going = going && (!alive || visit(&record.meta, &block.rows[at * row_len..][..row_len]));
                }
                going
            });
        }
    }

    /// A copy of one row, if the folder is listed here.
    pub(crate) fn row(&self, folder: FolderId, row: u32) -> Option<(RowMeta, Vec<f16>)> {
        if let Some(segment) = self.segments.iter().find(|segment| segment.folder == folder) {
            let record = segment.records.get(row as usize)?;
            let vector = segment.rows.range(row as usize, row as usize + 1);
            return record.matches(vector).then(|| (record.meta, vector.to_vec()));
        }
        let tail = self.tails.iter().find(|tail| tail.folder == folder)?;
        tail.row(row).map(|(record, vector)| (record.meta, vector))
    }
}
