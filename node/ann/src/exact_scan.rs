//! The exact index: the oracle of the tests, and the stand-in for faiss in the simulator.

use half::f16;

use crate::bitmap::Bitmap;
use crate::error::AnnError;
use crate::index::{AnnIndex, IndexKind, Neighbour, Rows, SearchParams, check_search};
use crate::kernels::score_row;
use crate::metric::Metric;
use crate::top_k::TopK;

const MAGIC: [u8; 4] = *b"CVXS";
const HEADER: usize = 4 + 1 + 4;

/// A copy of the rows, scanned.
pub struct ExactScan {
    metric: Metric,
    dim: usize,
    rows: Vec<f16>,
}

impl std::fmt::Debug for ExactScan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExactScan")
            .field("metric", &self.metric)
            .field("rows", &self.len())
            .finish_non_exhaustive()
    }
}

impl ExactScan {
    /// Copies the rows.
    pub fn build(metric: Metric, dim: usize, rows: &dyn Rows) -> Self {
        let mut copy = Vec::with_capacity(rows.len() * dim);
        for index in 0..rows.len() {
            copy.extend_from_slice(rows.row(index));
        }
        Self {
            metric,
            dim,
            rows: copy,
        }
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// Damaged bytes, or those of another space.
    pub fn load(metric: Metric, dim: usize, bytes: &[u8]) -> Result<Self, AnnError> {
        let (header, body) = bytes.split_at_checked(HEADER).ok_or(AnnError::Damaged)?;
        let saved_dim = u32::from_le_bytes([header[5], header[6], header[7], header[8]]) as usize;
        if header[..4] != MAGIC || !body.len().is_multiple_of(2 * dim) {
            return Err(AnnError::Damaged);
        }
        if saved_dim != dim || header[4] != metric as u8 {
            let what = format!("{saved_dim} dimensions and metric number {}", header[4]);
            return Err(AnnError::WrongIndex {
                what,
                expected_dim: dim,
                expected_metric: metric,
            });
        }
        let rows = body.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]])).collect();
        Ok(Self { metric, dim, rows })
    }
}

impl AnnIndex for ExactScan {
    fn search(
        &self,
        query: &[f32],
        k: usize,
        _params: &SearchParams,
        keep: Option<&Bitmap>,
        out: &mut Vec<Neighbour>,
    ) -> Result<(), AnnError> {
        check_search(self, query, k, keep)?;
        let mut top = TopK::new(k);
        for (index, row) in self.rows.chunks_exact(self.dim).enumerate() {
            if keep.is_none_or(|keep| keep.get(index)) {
                top.push(score_row(self.metric, row, query), index as u64, ());
            }
        }
        out.clear();
        out.extend(top.into_sorted().iter().map(|best| Neighbour {
            row: best.id as u32,
            score: best.score,
        }));
        Ok(())
    }

    fn len(&self) -> usize {
        self.rows.len() / self.dim
    }

    fn dim(&self) -> usize {
        self.dim
    }

    fn metric(&self) -> Metric {
        self.metric
    }

    fn kind(&self) -> IndexKind {
        IndexKind::Flat
    }

    fn save(&self) -> Result<Vec<u8>, AnnError> {
        let mut bytes = Vec::with_capacity(HEADER + self.rows.len() * 2);
        bytes.extend_from_slice(&MAGIC);
        bytes.push(self.metric as u8);
        bytes.extend_from_slice(&(self.dim as u32).to_le_bytes());
        bytes.extend(self.rows.iter().flat_map(|x| x.to_le_bytes()));
        Ok(bytes)
    }
}

#[cfg(test)]
#[path = "exact_scan_test.rs"]
mod tests;
