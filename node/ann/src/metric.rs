//! Metrics, and how caller vectors become rows and queries.

use half::f16;

use crate::error::AnnError;

/// Elements per step of the kernels; row lengths are multiples of it (64 bytes of f16: one cache line).
pub const LANES: usize = 32;

/// Largest magnitude of an element: that of f16. It also keeps every score finite.
pub const MAX_ELEMENT: f32 = 65504.0;

/// How two vectors are compared. Scores are always "higher is nearer".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Score = inner product.
    InnerProduct,
    /// Score = inner product of the normalised vectors, in about `[-1, 1]`.
    Cosine,
    /// Score = minus the squared Euclidean distance.
    L2,
}

impl Metric {
    /// Whether faiss is asked for an inner product.
    pub(crate) fn is_inner_product(self) -> bool {
        self != Metric::L2
    }
}

/// Row length of a space: its dimension rounded up to a multiple of [`LANES`]; the rest is zeros.
pub fn padded_dim(dim: usize) -> usize {
    dim.div_ceil(LANES) * LANES
}

/// Turns a caller's vector into a row: checked, normalised for cosine, padded, rounded to f16. Of the elements of a row
/// it makes the same row.
///
/// # Errors
/// Wrong length, an element that is no number or too large, a vector without direction.
pub fn encode_row(metric: Metric, dim: usize, vector: &[f32]) -> Result<Vec<f16>, AnnError> {
    let mut query = prepare_query(metric, dim, vector)?;
    if metric == Metric::Cosine && is_row(vector) {
        query[..dim].copy_from_slice(vector);
    }
    let row: Vec<f16> = query.iter().map(|&x| f16::from_f32(x)).collect();
    if row.iter().all(|x| x.to_f32() == 0.0) {
        return Err(AnnError::ZeroVector);
    }
    Ok(row)
}

/// Whether a vector has what normalising and rounding to f16 leave: then it is a row already and keeps its bits, so that
/// a row may be encoded again. Rounding changes each element by at most one part in 2^11, and so the length.
fn is_row(vector: &[f32]) -> bool {
    const SLACK: f64 = 1.0 / 2048.0 + 1.0 / 16384.0;
    let squares = vector.iter().map(|&x| f64::from(x) * f64::from(x));
    let rounded = vector.iter().all(|&x| f16::from_f32(x).to_f32() == x);
    rounded && (squares.sum::<f64>().sqrt() - 1.0).abs() <= SLACK
}

/// Turns a caller's vector into a query: checked, normalised for cosine, padded.
///
/// # Errors
/// As [`encode_row`].
pub fn prepare_query(metric: Metric, dim: usize, vector: &[f32]) -> Result<Vec<f32>, AnnError> {
    if vector.len() != dim {
        return Err(AnnError::WrongDimension {
            expected: dim,
            got: vector.len(),
        });
    }
    check_elements(vector)?;
    // f64, in order: the same bits on every machine.
    let norm = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    if norm == 0.0 {
        return Err(AnnError::ZeroVector);
    }
    let mut query = Vec::with_capacity(padded_dim(dim));
    match metric {
        Metric::Cosine => query.extend(vector.iter().map(|&x| (f64::from(x) / norm) as f32)),
        Metric::InnerProduct | Metric::L2 => query.extend_from_slice(vector),
    }
    query.resize(padded_dim(dim), 0.0);
    Ok(query)
}

/// Refuses NaN, infinities and what f16 cannot hold.
pub(crate) fn check_elements(vector: &[f32]) -> Result<(), AnnError> {
    match vector.iter().position(|x| x.is_nan() || x.abs() > MAX_ELEMENT) {
        Some(position) => Err(AnnError::NotFinite { position }),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "metric_test.rs"]
mod tests;
