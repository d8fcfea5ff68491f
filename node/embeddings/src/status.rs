//! Figures of a partition.

use std::sync::atomic::Ordering;

use covey_ann::IndexKind;

use crate::segment::Served;
use crate::view::View;

/// Figures of a partition, all at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionStatus {
    /// Rows, dead ones included.
    pub rows: u64,
    /// Posts with a live row.
    pub live_rows: u64,
    /// Rows not yet sealed.
    pub unsealed_rows: u64,
    /// Sealed folders.
    pub segments: u32,
    /// Rows in sealed folders that are searched by inverted lists.
    pub ivf_rows: u64,
    /// Sealed folders that are scanned because their index fell short of the least recall.
    pub low_recall_segments: u32,
    /// Index builds since the start that fell short.
    pub low_recall_builds: u64,
    /// Whether a seal, build or merge runs.
    pub building: bool,
    /// Sealed folders that are scanned because their index has still to be built.
    pub unbuilt_segments: u32,
    /// Whether segments are due to become one.
    pub merge_due: bool,
    /// Recall@10 measured for the newest index at its greatest effort, `0..=1`.
    pub last_recall: Option<f32>,
    /// How often searches and merges met a damaged row since the start.
    pub damaged_rows: u64,
    /// Pages of rows that the disk could not read, in folders that are still in use.
    pub faulted_pages: u64,
    /// Tails that became segments since the start.
    pub seals: u64,
    /// Times that segments became one since the start.
    pub merges: u64,
}

impl PartitionStatus {
    pub(crate) fn of(view: &View, live_rows: usize) -> Self {
        let counters = &view.counters;
        let ivf = view
            .segments
            .iter()
            .filter(|s| matches!(s.kind(), IndexKind::Ivf { .. }));
        let low = view.segments.iter().filter(|s| s.served == Some(Served::LowRecall));
        let newest = view.segments.iter().rev().find_map(|s| s.index.as_ref());
        Self {
            rows: view.rows() as u64,
            live_rows: live_rows as u64,
            unsealed_rows: view.unsealed_rows() as u64,
            segments: view.segments.len() as u32,
            ivf_rows: ivf.map(|s| s.len() as u64).sum(),
            low_recall_segments: low.count() as u32,
            low_recall_builds: counters.low_recall.load(Ordering::Relaxed),
            building: counters.building.load(Ordering::Relaxed),
            unbuilt_segments: view.segments.iter().filter(|s| s.served.is_none()).count() as u32,
            merge_due: view.merge_due().is_some(),
            last_recall: newest.and_then(|index| index.best_recall()),
            damaged_rows: counters.damaged_rows.load(Ordering::Relaxed),
            faulted_pages: view.segments.iter().map(|s| s.rows.faulted_pages()).sum(),
            seals: counters.seals.load(Ordering::Relaxed),
            merges: counters.merges.load(Ordering::Relaxed),
        }
    }
}
