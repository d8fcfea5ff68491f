//! Tests of the generated data.

use super::*;

#[test]
fn a_seed_repeats_the_data_and_clusters_differ_in_size() {
    let (mut a, mut b) = (Clusters::new(7, 50), Clusters::new(7, 50));
    assert!((0..100).all(|_| a.vector() == b.vector()));
    assert!((a.shares[49] - 1.0).abs() < 1e-9 && a.shares[0] > 4.0 * (a.shares[49] - a.shares[48]));
}

#[test]
fn numbers_are_normal() {
    let mut noise = Noise::new(3);
    let numbers: Vec<f32> = (0..20_000).map(|_| normal(&mut noise)).collect();
    let mean = numbers.iter().sum::<f32>() / 20_000.0;
    let variance = numbers.iter().map(|x| x * x).sum::<f32>() / 20_000.0;
    assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    assert!(numbers.iter().all(|x| x.is_finite()));
}

#[test]
fn the_generated_set_has_its_size() {
    let set = generated(300);
    assert_eq!((set.len(), set.dim, set.queries.len()), (300, DIM, QUERIES));
}
