//! Tests of the kernels.

use super::*;
use crate::conformance::Noise;

#[test]
fn avx2_and_portable_code_give_the_same_bits() {
    for seed in 0..200_u64 {
        let mut noise = Noise::new(seed);
        let dim = LANES * (1 + seed as usize % 9);
        let scale = [1e-4, 1.0, 300.0, 65000.0][seed as usize % 4];
        let query: Vec<f32> = (0..dim).map(|_| noise.uniform() * scale).collect();
        let rows: Vec<f16> = (0..dim * 5).map(|_| f16::from_f32(noise.uniform() * scale)).collect();
        for metric in [Metric::InnerProduct, Metric::L2, Metric::Cosine] {
            let (mut fast, mut slow) = ([0.0; 5], [0.0; 5]);
            if !avx2::score_rows(metric, &rows, &query, &mut fast) {
                println!("no AVX2 here: nothing to compare");
                return;
            }
            score_rows_portable(metric, &rows, &query, &mut slow);
            assert_eq!(
                fast.map(f32::to_bits),
                slow.map(f32::to_bits),
                "seed {seed} {metric:?} dim {dim}"
            );
        }
    }
}

#[test]
fn scores_agree_with_double_precision() {
    let mut noise = Noise::new(7);
    let query: Vec<f32> = (0..128).map(|_| noise.uniform()).collect();
    let row: Vec<f16> = (0..128).map(|_| f16::from_f32(noise.uniform())).collect();
    let pairs = || query.iter().zip(&row).map(|(q, r)| (f64::from(*q), r.to_f64()));
    let product: f64 = pairs().map(|(q, r)| q * r).sum();
    let distance: f64 = pairs().map(|(q, r)| (q - r) * (q - r)).sum();
    assert!((f64::from(score_row(Metric::InnerProduct, &row, &query)) - product).abs() < 1e-4);
    assert!((f64::from(score_row(Metric::L2, &row, &query)) + distance).abs() < 1e-4);
}

#[test]
fn a_row_has_distance_plus_zero_to_itself() {
    let row: Vec<f16> = (0..64).map(|i| f16::from_f32(i as f32)).collect();
    let query: Vec<f32> = row.iter().map(|x| x.to_f32()).collect();
    assert_eq!(score_row(Metric::L2, &row, &query).to_bits(), 0.0_f32.to_bits());
}
