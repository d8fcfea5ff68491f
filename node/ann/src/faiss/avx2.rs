//! The kernels with AVX2, FMA and F16C. They live in this folder because loads from pointers need `unsafe`.

use half::f16;

use crate::faiss::fast_scan::BLOCK;
use crate::metric::{LANES, Metric};

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

/// Scores the centres of lists; higher is nearer. Their last bits depend on the machine, unlike those of rows.
pub(super) fn score_centres(metric: Metric, centres: &[f32], query: &[f32], scores: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && query.len().is_multiple_of(LANES) {
        // SAFETY: the two instruction sets were found just above.
        return unsafe { x86::score_centres(metric, centres, query, scores) };
    }
    for (centre, score) in centres.chunks_exact(query.len()).zip(scores) {
        let pairs = centre.iter().zip(query);
        *score = if metric.is_inner_product() {
            pairs.map(|(c, q)| c * q).sum()
        } else {
            pairs.map(|(c, q)| -(c - q) * (c - q)).sum()
        };
    }
}

/// Sums the tables' entries for each row of a block, adds `bias`, and answers a bit for each sum below `limit`. Sums stop
/// at 65535; those of the tables alone must not reach it. If no bit is set, `sums` may be left as they are. Memory at
/// `ahead` is fetched meanwhile.
pub(super) fn sums_below(
    tables: &[u8],
    codes: &[u8],
    ahead: &[u8],
    bias: u16,
    limit: u16,
    sums: &mut [u16; BLOCK],
) -> u32 {
    assert!(
        tables.len() == codes.len() && codes.len().is_multiple_of(BLOCK),
        "codes and tables do not fit"
    );
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the instruction set was found just above.
        return unsafe { x86::sums_below(tables, codes, ahead, bias, limit, sums) };
    }
    sums_below_portable(tables, codes, bias, limit, sums)
}

pub(super) fn sums_below_portable(tables: &[u8], codes: &[u8], bias: u16, limit: u16, sums: &mut [u16; BLOCK]) -> u32 {
    *sums = [bias; BLOCK];
    // Byte i has the codes of rows i / 2 + 8 · (i % 2) and 16 more: that is how they come out of 16-bit sums in order.
    for (table, codes) in tables.chunks_exact(16).zip(codes.chunks_exact(16)) {
        for (at, code) in codes.iter().enumerate() {
            let row = at / 2 + 8 * (at % 2);
            for (row, code) in [(row, code & 15), (row + 16, code >> 4)] {
                sums[row] = sums[row].saturating_add(table[usize::from(code)].into());
            }
        }
    }
    (0..BLOCK).fold(0, |below, row| below | u32::from(sums[row] < limit) << row)
}

/// Starts to load what is needed soon.
pub fn prefetch<T>(items: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for offset in (0..size_of_val(items)).step_by(64) {
        let line = items.as_ptr().cast::<i8>().wrapping_add(offset);
        // SAFETY: a hint that reads nothing; SSE is part of x86-64.
        unsafe { std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(line) }
    }
}

/// Other machines use the portable code.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn score_rows(_metric: Metric, _rows: &[f16], _query: &[f32], _scores: &mut [f32]) -> bool {
    false
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256, __m256i, _MM_HINT_T1, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_loadu_si128, _mm_movehdup_ps,
        _mm_movehl_ps, _mm_prefetch, _mm256_add_epi16, _mm256_add_ps, _mm256_adds_epu16, _mm256_and_si256,
        _mm256_castps256_ps128, _mm256_cmpeq_epi16, _mm256_cvtph_ps, _mm256_extractf128_ps, _mm256_fmadd_ps,
        _mm256_loadu_ps, _mm256_loadu_si256, _mm256_max_epu16, _mm256_movemask_epi8, _mm256_packs_epi16,
        _mm256_permute2x128_si256, _mm256_permute4x64_epi64, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_setzero_ps,
        _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_slli_epi16, _mm256_srli_epi16, _mm256_storeu_si256,
        _mm256_sub_epi16, _mm256_sub_ps,
    };

    use half::f16;

    use crate::faiss::fast_scan::BLOCK;
    use crate::metric::{LANES, Metric};

    /// Bytes by which a scan of rows fetches ahead.
    const AHEAD: usize = 8192;

    #[target_feature(enable = "avx2,fma,f16c")]
    pub(super) fn score_rows(metric: Metric, rows: &[f16], query: &[f32], scores: &mut [f32]) {
        let many = scores.len() > 1;
        for (row, score) in rows.chunks_exact(query.len()).zip(scores) {
            if many {
                // The processor itself fetches ahead only to the end of a page.
                for line in row.chunks_exact(LANES) {
                    _mm_prefetch::<_MM_HINT_T1>(line.as_ptr().cast::<i8>().wrapping_add(AHEAD));
                }
            }
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
    #[target_feature(enable = "avx2,fma")]
    fn fold(sums: [__m256; 4]) -> f32 {
        let eight = _mm256_add_ps(_mm256_add_ps(sums[0], sums[1]), _mm256_add_ps(sums[2], sums[3]));
        let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
        let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn score_centres(metric: Metric, centres: &[f32], query: &[f32], scores: &mut [f32]) {
        let inner_product = metric.is_inner_product();
        for (centre, score) in centres.chunks_exact(query.len()).zip(scores) {
            let mut sums = [_mm256_setzero_ps(); 4];
            for (centre, query) in centre.chunks_exact(LANES).zip(query.chunks_exact(LANES)) {
                for (part, sum) in sums.iter_mut().enumerate() {
                    let (c, q) = (&centre[part * 8..][..8], &query[part * 8..][..8]);
                    // SAFETY: 32 readable bytes behind both pointers; unaligned loads.
                    let (c, q) = unsafe { (_mm256_loadu_ps(c.as_ptr()), _mm256_loadu_ps(q.as_ptr())) };
                    let difference = _mm256_sub_ps(q, c);
                    *sum = if inner_product {
                        _mm256_fmadd_ps(c, q, *sum)
                    } else {
                        _mm256_fmadd_ps(difference, difference, *sum)
                    };
                }
            }
            let sum = fold(sums);
            *score = if inner_product { sum } else { 0.0 - sum };
        }
    }

    /// Two parts of 32 rows at a time: their entries are looked up as bytes and added as 16-bit words, once with the odd
    /// rows in the upper byte and once without them.
    #[target_feature(enable = "avx2")]
    pub(super) fn sums_below(
        tables: &[u8],
        codes: &[u8],
        ahead: &[u8],
        bias: u16,
        limit: u16,
        sums: &mut [u16; BLOCK],
    ) -> u32 {
        let nibble = _mm256_set1_epi8(15);
        let mut words = [_mm256_setzero_si256(); 4];
        for line in ahead.chunks(64) {
            _mm_prefetch::<_MM_HINT_T1>(line.as_ptr().cast());
        }
        for (table, codes) in tables.as_chunks::<BLOCK>().0.iter().zip(codes.as_chunks::<BLOCK>().0) {
            let (table, codes) = (load_bytes(table), load_bytes(codes));
            let low = _mm256_shuffle_epi8(table, _mm256_and_si256(codes, nibble));
            let high = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16::<4>(codes), nibble));
            words[0] = _mm256_add_epi16(words[0], low);
            words[1] = _mm256_add_epi16(words[1], _mm256_srli_epi16::<8>(low));
            words[2] = _mm256_add_epi16(words[2], high);
            words[3] = _mm256_add_epi16(words[3], _mm256_srli_epi16::<8>(high));
        }
        let bias = _mm256_set1_epi16(bias.cast_signed());
        let first = _mm256_adds_epu16(both_parts(words[0], words[1]), bias);
        let second = _mm256_adds_epu16(both_parts(words[2], words[3]), bias);
        let limit = _mm256_set1_epi16(limit.cast_signed());
        let reached = |sums| _mm256_cmpeq_epi16(_mm256_max_epu16(sums, limit), sums);
        // Packing works on halves: the middle quarters change places.
        let packed = _mm256_packs_epi16(reached(first), reached(second));
        let below = !_mm256_movemask_epi8(_mm256_permute4x64_epi64::<0b11_01_10_00>(packed)).cast_unsigned();
        if below != 0 {
            // SAFETY: there is room for 2 · 32 bytes; unaligned stores.
            unsafe {
                _mm256_storeu_si256(sums.as_mut_ptr().cast(), first);
                _mm256_storeu_si256(sums[BLOCK / 2..].as_mut_ptr().cast(), second);
            }
        }
        below
    }

    /// Takes the odd rows out of `all` and adds what the two parts, one in each half, gave: rows 0-7, then 8-15.
    #[target_feature(enable = "avx2")]
    fn both_parts(all: __m256i, odd: __m256i) -> __m256i {
        let even = _mm256_sub_epi16(all, _mm256_slli_epi16::<8>(odd));
        let first = _mm256_permute2x128_si256::<0x20>(even, odd);
        _mm256_add_epi16(first, _mm256_permute2x128_si256::<0x31>(even, odd))
    }

    #[target_feature(enable = "avx2")]
    fn load_bytes(bytes: &[u8; BLOCK]) -> __m256i {
        // SAFETY: 32 readable bytes; an unaligned load.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
    }
}
