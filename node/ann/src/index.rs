//! What every index can do.

use half::f16;

use crate::bitmap::Bitmap;
use crate::error::AnnError;
use crate::metric::{Metric, check_elements};

/// Largest `k` of a search: twice what rescoring asks for at the largest page.
pub const MAX_K: usize = 16_384;

/// How hard a search tries. Ignored where it does not apply.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SearchParams {
    /// Lists an IVF index visits; clamped to its number of lists.
    pub nprobe: usize,
    /// Length of the candidate queue of HNSW.
    pub ef: usize,
    /// The index may leave out rows whose approximate score is below this: the caller has better ones.
    pub floor: f32,
}

impl Default for SearchParams {
    fn default() -> Self {
        Self {
            nprobe: 64,
            ef: 128,
            floor: f32::NEG_INFINITY,
        }
    }
}

/// One answer: a row and its score, higher is nearer. Approximate unless the index is exact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// Row, from 0.
    pub row: u32,
    /// The index' own idea of the score; quantised indexes need rescoring.
    pub score: f32,
}

/// What an index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexKind {
    /// Every row, exact.
    Flat,
    /// Inverted lists.
    Ivf {
        /// Number of lists.
        nlist: usize,
    },
    /// A graph.
    Hnsw,
}

impl IndexKind {
    /// For status pages and metrics.
    pub fn name(self) -> &'static str {
        match self {
            IndexKind::Flat => "flat",
            IndexKind::Ivf { .. } => "ivf",
            IndexKind::Hnsw => "hnsw",
        }
    }
}

/// A finished, immutable index over rows `0..len()`. Any number of threads may search it at once.
pub trait AnnIndex: Send + Sync + std::fmt::Debug {
    /// Replaces `out` by the nearest `k` rows in any order; fewer if fewer exist, pass `keep` or are found.
    /// `query` comes from [`crate::prepare_query`]; `keep` has one bit per row.
    ///
    /// # Errors
    /// A query, `k` or bitmap that does not fit; what faiss reports.
    fn search(
        &self,
        query: &[f32],
        k: usize,
        params: &SearchParams,
        keep: Option<&Bitmap>,
        out: &mut Vec<Neighbour>,
    ) -> Result<(), AnnError>;

    /// Number of rows.
    fn len(&self) -> usize;

    /// Whether there are no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Padded dimension.
    fn dim(&self) -> usize;

    /// Metric of the scores.
    fn metric(&self) -> Metric;

    /// What it is.
    fn kind(&self) -> IndexKind;

    /// Its bytes, to be given to [`crate::Backend::load`]. They carry no checksum: the file around them does.
    ///
    /// # Errors
    /// What faiss reports.
    fn save(&self) -> Result<Vec<u8>, AnnError>;
}

/// Rows to build an index from.
pub trait Rows: Sync {
    /// Number of rows.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One encoded row of the padded dimension.
    fn row(&self, index: usize) -> &[f16];
}

/// The checks every index makes before a search.
pub(crate) fn check_search(
    index: &dyn AnnIndex,
    query: &[f32],
    k: usize,
    keep: Option<&Bitmap>,
) -> Result<(), AnnError> {
    if query.len() != index.dim() {
        return Err(AnnError::WrongDimension {
            expected: index.dim(),
            got: query.len(),
        });
    }
    check_elements(query)?;
    if k == 0 || k > MAX_K {
        return Err(AnnError::BadK { k, max: MAX_K });
    }
    match keep {
        Some(keep) if keep.len() != index.len() => Err(AnnError::WrongBitmap {
            expected: index.len(),
            got: keep.len(),
        }),
        _ => Ok(()),
    }
}
