//! The vector space of a partition, and how the partition behaves.

use covey_ann::{Backend, IndexSpec, Metric, padded_dim};
use covey_shared::ids::ModelEpoch;

use crate::error::PartitionError;

/// Longest name of a space in bytes: it is part of every file.
pub const MAX_SPACE_NAME: usize = 64;
/// Largest dimension of a space.
pub const MAX_DIM: usize = 4096;

/// Which vectors a partition holds. Part of every file; files of another space are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceSpec {
    /// For example `content`; `1..=64` bytes.
    pub name: String,
    /// Dimension as callers know it, `1..=4096`.
    pub dim: usize,
    /// How vectors are compared.
    pub metric: Metric,
    /// Epoch of the model that makes the vectors.
    pub model_epoch: ModelEpoch,
}

impl SpaceSpec {
    /// Length of a row.
    pub fn row_len(&self) -> usize {
        padded_dim(self.dim)
    }

    pub(crate) fn check(&self) -> Result<(), PartitionError> {
        let name_fits = (1..=MAX_SPACE_NAME).contains(&self.name.len());
        if name_fits && (1..=MAX_DIM).contains(&self.dim) {
            return Ok(());
        }
        Err(PartitionError::BadSpace {
            name: self.name.clone(),
            dim: self.dim,
        })
    }
}

/// The knobs of a partition; the config section `ann` documents each.
#[derive(Debug, Clone)]
pub struct PartitionOptions {
    /// faiss, or the exact scan in the simulator.
    pub backend: Backend,
    /// Index of sealed segments.
    pub index: IndexSpec,
    /// Rows after which the active tail is sealed.
    pub seal_rows: usize,
    /// Segments with fewer rows are scanned.
    pub min_train_rows: usize,
    /// Largest segment that merging makes, in rows.
    pub max_segment_rows: usize,
    /// Segments of a tier that merge into one of the next.
    pub merge_factor: usize,
    /// Unsealed rows, in multiples of `seal_rows`, at which [`crate::Partition::pressure`] is 1.
    pub max_unsealed: usize,
    /// Measured recall@10 below which a segment is scanned instead, `0..=1`.
    pub min_recall: f64,
    /// Recall@10 a search aims at unless it says otherwise, `0..=1`.
    pub recall_target: f64,
    /// Queries that measure a new index.
    pub recall_queries: usize,
    /// Candidates rescored exactly: what the recall was measured to take, but at least `kk_factor · k` and `kk_min`.
    pub kk_factor: usize,
    /// Least candidates rescored exactly.
    pub kk_min: usize,
    /// Share of matching rows below which a filtered search scans just those.
    pub exact_below: f64,
    /// Threads of an index build.
    pub build_threads: usize,
}

impl Default for PartitionOptions {
    fn default() -> Self {
        Self {
            backend: Backend::Faiss,
            index: IndexSpec::default(),
            seal_rows: 8192,
            min_train_rows: 4096,
            max_segment_rows: 1_000_000,
            merge_factor: 8,
            max_unsealed: 4,
            min_recall: 0.9,
            recall_target: 0.95,
            recall_queries: 200,
            kk_factor: 2,
            kk_min: 20,
            exact_below: 0.02,
            build_threads: 1,
        }
    }
}
