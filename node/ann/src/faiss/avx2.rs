//! The kernels with AVX2, FMA and F16C. They live in this folder because loads from pointers need `unsafe`.

use half::f16;

use crate::metric::Metric;

/// Scores consecutive rows; false, with `scores` untouched, when the CPU lacks the instructions.
/// Lengths were checked by [`crate::kernels::score_rows`].
#[cfg(target_arch = "x86_64")]
pub(crate) fn score_rows(metric: Metric, rows: &[f16], query: &[f32], scores: &mut [f32]) -> bool {
    let usable =
        is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c");
    if usable {
        // SAFETY: the three instruction sets were found just above.
        unsafe { x86::score_rows(metric, rows, query, scores) };
    }
    usable
}

/// Other machines use the portable code.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn score_rows(_metric: Metric, _rows: &[f16], _query: &[f32], _scores: &mut [f32]) -> bool {
    false
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_loadu_si128, _mm_movehdup_ps, _mm_movehl_ps, _mm256_add_ps,
        _mm256_castps256_ps128, _mm256_cvtph_ps, _mm256_extractf128_ps, _mm256_fmadd_ps, _mm256_loadu_ps,
        _mm256_setzero_ps, _mm256_sub_ps,
    };

    use half::f16;

    use crate::metric::{LANES, Metric};

    #[target_feature(enable = "avx2,fma,f16c")]
    pub(super) fn score_rows(metric: Metric, rows: &[f16], query: &[f32], scores: &mut [f32]) {
        for (row, score) in rows.chunks_exact(query.len()).zip(scores) {
            *score = if metric.is_inner_product() {
                inner_product(row, query)
            } else {
                0.0 - squared_l2(row, query)
            };
        }
    }

    #[target_feature(enable = "avx2,fma,f16c")]
    fn inner_product(row: &[f16], query: &[f32]) -> f32 {
        let mut sums = [_mm256_setzero_ps(); 4];
        for (row, query) in row.chunks_exact(LANES).zip(query.chunks_exact(LANES)) {
            for (part, sum) in sums.iter_mut().enumerate() {
                let (r, q) = load(&row[part * 8..][..8], &query[part * 8..][..8]);
                *sum = _mm256_fmadd_ps(r, q, *sum);
            }
        }
        fold(sums)
    }

    #[target_feature(enable = "avx2,fma,f16c")]
    fn squared_l2(row: &[f16], query: &[f32]) -> f32 {
        let mut sums = [_mm256_setzero_ps(); 4];
        for (row, query) in row.chunks_exact(LANES).zip(query.chunks_exact(LANES)) {
            for (part, sum) in sums.iter_mut().enumerate() {
                let (r, q) = load(&row[part * 8..][..8], &query[part * 8..][..8]);
                let difference = _mm256_sub_ps(q, r);
                *sum = _mm256_fmadd_ps(difference, difference, *sum);
            }
        }
        fold(sums)
    }

    #[target_feature(enable = "avx2,fma,f16c")]
    fn load(row: &[f16], query: &[f32]) -> (__m256, __m256) {
        assert!(row.len() == 8 && query.len() == 8);
        // SAFETY: 16 and 32 readable bytes behind the pointers; unaligned loads; f16 is repr(transparent) over u16.
        let (r, q) = unsafe { (_mm_loadu_si128(row.as_ptr().cast()), _mm256_loadu_ps(query.as_ptr())) };
        (_mm256_cvtph_ps(r), q)
    }

    /// In the order of [`crate::kernels`]: quarters, then halves of what remains.
    #[target_feature(enable = "avx2,fma,f16c")]
    fn fold(sums: [__m256; 4]) -> f32 {
        let eight = _mm256_add_ps(_mm256_add_ps(sums[0], sums[1]), _mm256_add_ps(sums[2], sums[3]));
        let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
        let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
    }
}
