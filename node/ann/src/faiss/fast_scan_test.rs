//! Tests of the own search of 4-bit codes.

use super::*;
use crate::conformance::{Clustered, Noise};
use crate::index::AnnIndex;
use crate::metric::{Metric, prepare_query};

#[test]
fn avx2_and_portable_sums_are_the_same() {
    for seed in 0..300_u64 {
        let mut noise = Noise::new(seed);
        let parts = 2 * (1 + seed as usize % 60);
        let mut bytes = |count: usize| -> Vec<u8> { (0..count).map(|_| noise.bits() as u8).collect() };
        let (tables, codes) = (bytes(parts * 16), bytes(parts * 16));
        let (bias, limit) = (noise.bits() as u16, noise.bits() as u16);
        let (mut fast, mut slow) = ([0; BLOCK], [0; BLOCK]);
        let below = avx2::sums_below(&tables, &codes, &codes, bias, limit, &mut fast);
        let expected = avx2::sums_below_portable(&tables, &codes, bias, limit, &mut slow);
        assert_eq!(below, expected, "seed {seed}");
        assert!(below == 0 || fast == slow, "seed {seed}: {fast:?} {slow:?}");
    }
}

fn index(metric: Metric, factory: &str) -> (FaissIndex, Vec<f32>, Vec<Vec<f32>>) {
    let mut source = Clustered::new(11, 32, 100);
    let mut prepared = |count: usize| -> Vec<Vec<f32>> {
        (0..count)
            .map(|_| prepare_query(metric, 32, &source.vector()).unwrap())
            .collect()
    };
    let (rows, queries) = (prepared(6000).concat(), prepared(30));
    let mut index = FaissIndex::create(metric, 32, factory).unwrap();
    index.train(&rows, 1).unwrap();
    index.add(&rows, 1).unwrap();
    (index, rows, queries)
}

fn search(index: &FaissIndex, query: &[f32], k: usize, params: &SearchParams) -> Vec<Neighbour> {
    let mut out = Vec::new();
    index.search(query, k, params, None, &mut out).unwrap();
    out.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.row.cmp(&b.row)));
    out
}

#[test]
fn scores_are_about_the_true_ones_for_every_metric_and_with_residuals() {
    for (metric, factory) in [
        (Metric::L2, "IVF32,PQ32x4fs"),
        (Metric::L2, "IVF32,PQ16x4fsr"),
        (Metric::Cosine, "IVF32,PQ32x4fs"),
        (Metric::Cosine, "IVF32,PQ32x4fsr"),
        (Metric::InnerProduct, "IVF32,PQ16x4fsr"),
    ] {
        let (index, rows, queries) = index(metric, factory);
        assert!(FastScan::of(&index).is_some());
        let all = SearchParams {
            nprobe: 32,
            ..SearchParams::default()
        };
        let (mut error, mut size) = (0.0, 0.0);
        for query in &queries {
            for neighbour in search(&index, query, 20, &all) {
                let pairs = query.iter().zip(&rows[neighbour.row as usize * 32..][..32]);
                let score: f32 = if metric == Metric::L2 {
                    pairs.map(|(q, r)| -(q - r) * (q - r)).sum()
                } else {
                    pairs.map(|(q, r)| q * r).sum()
                };
                error += (score - neighbour.score).abs();
                size += score.abs();
            }
        }
        assert!(error < 0.15 * size, "{metric:?} {factory}: off by {error} of {size}");
    }
}

#[test]
fn a_floor_leaves_out_only_what_is_below_it() {
    for metric in [Metric::L2, Metric::Cosine] {
        let (index, _, queries) = index(metric, "IVF32,PQ32x4fsr");
        for query in &queries {
            let all = SearchParams {
                nprobe: 32,
                ..SearchParams::default()
            };
            let free = search(&index, query, 50, &all);
            let floor = free[19].score;
            let bounded = search(&index, query, 50, &SearchParams { floor, ..all });
            assert!((20..50).contains(&bounded.len()), "{} hits", bounded.len());
            assert!(free.starts_with(&bounded), "a floor changed the order");
            assert!(
                search(
                    &index,
                    query,
                    50,
                    &SearchParams {
                        floor: f32::INFINITY,
                        ..all
                    }
                )
                .is_empty()
            );
        }
    }
}

#[test]
fn the_nearest_lists_come_first() {
    for metric in [Metric::L2, Metric::Cosine] {
        let (index, _, queries) = index(metric, "IVF32,PQ32x4fs");
        let lists = FastScan::of(&index).unwrap();
        for query in &queries {
            let all = lists.nearest_lists(query, 1000);
            assert_eq!(all.len(), 32);
            assert!(all.is_sorted_by(|a, b| a.0 >= b.0));
            for (score, number) in &all {
                let centre = &lists.coarse[*number as usize * 32..][..32];
                let expected = 0.0 - cost_of(query, centre, metric.is_inner_product());
                assert!(
                    (score - expected).abs() < 1e-4,
                    "{metric:?}: {score}, expected {expected}"
                );
            }
            assert_eq!(lists.nearest_lists(query, 7), all[..7]);
            assert_eq!(lists.nearest_lists(query, 0), all[..1]);
        }
    }
}
