//! Scores of f16 rows against an f32 query, in one fixed order of summation.
//!
//! Thirty-two running sums, each a chain of fused multiply-adds; then sums 0-7, 8-15, 16-23, 24-31 are added as
//! `(a + b) + (c + d)` and the eight that remain are folded in halves. AVX2 and portable code do exactly this, so they
//! give the same bits, and `exact` answers agree between replicas on any machine.

use half::f16;

use crate::faiss::avx2;
use crate::metric::{LANES, Metric};

/// Scores one row. Both slices have the same length, a multiple of [`LANES`].
pub fn score_row(metric: Metric, row: &[f16], query: &[f32]) -> f32 {
    let mut score = [0.0];
    score_rows(metric, row, query, &mut score);
    score[0]
}

/// Scores consecutive rows: `rows` holds `scores.len()` rows of `query.len()` elements.
///
/// # Panics
/// If the lengths do not fit or the dimension is no multiple of [`LANES`]: the caller broke an invariant.
pub fn score_rows(metric: Metric, rows: &[f16], query: &[f32], scores: &mut [f32]) {
    assert!(
        !query.is_empty() && query.len().is_multiple_of(LANES),
        "dimension {} is not padded",
        query.len()
    );
    assert_eq!(rows.len(), query.len() * scores.len(), "rows and scores do not fit");
    if !avx2::score_rows(metric, rows, query, scores) {
        score_rows_portable(metric, rows, query, scores);
    }
}

pub(crate) fn score_rows_portable(metric: Metric, rows: &[f16], query: &[f32], scores: &mut [f32]) {
    for (row, score) in rows.chunks_exact(query.len()).zip(scores) {
        *score = if metric.is_inner_product() {
            inner_product(row, query)
        } else {
            0.0 - squared_l2(row, query)
        };
    }
}

fn inner_product(row: &[f16], query: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    for (row, query) in row.chunks_exact(LANES).zip(query.chunks_exact(LANES)) {
        for lane in 0..LANES {
            sums[lane] = row[lane].to_f32().mul_add(query[lane], sums[lane]);
        }
    }
    fold(sums)
}

fn squared_l2(row: &[f16], query: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    for (row, query) in row.chunks_exact(LANES).zip(query.chunks_exact(LANES)) {
        for lane in 0..LANES {
            let difference = query[lane] - row[lane].to_f32();
            sums[lane] = difference.mul_add(difference, sums[lane]);
        }
    }
    fold(sums)
}

fn fold(sums: [f32; LANES]) -> f32 {
    let eight = std::array::from_fn(|i| (sums[i] + sums[i + 8]) + (sums[i + 16] + sums[i + 24]));
    fold_eight(eight)
}

/// The last steps.
fn fold_eight(s: [f32; 8]) -> f32 {
    let four = [s[0] + s[4], s[1] + s[5], s[2] + s[6], s[3] + s[7]];
    (four[0] + four[2]) + (four[1] + four[3])
}

#[cfg(test)]
#[path = "kernels_test.rs"]
mod tests;
