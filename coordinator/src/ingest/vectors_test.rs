//! Vectors of callers are checked before they reach a shard.

use super::*;

fn space(metric: Metric) -> Vectors {
    let mut config = Config::default();
    config.embedding.dim = 8;
    config.embedding.metric = metric;
    Vectors::new(&config)
}

#[test]
fn wrong_dimension_nan_infinity_and_zero_are_refused() {
    let space = space(Metric::InnerProduct);
    assert_eq!(
        space.checked(vec![1.0; 7]),
        Err(VectorError::WrongDimension { found: 7, wanted: 8 })
    );
    let mut values = vec![1.0; 8];
    values[3] = f32::NAN;
    assert_eq!(space.checked(values.clone()), Err(VectorError::NotFinite(3)));
    values[3] = f32::NEG_INFINITY;
    assert_eq!(space.checked(values), Err(VectorError::NotFinite(3)));
    assert_eq!(space.checked(vec![0.0; 8]), Err(VectorError::Zero));
}

#[test]
fn vectors_of_the_inner_product_get_length_one_even_huge_and_tiny_ones() {
    for scale in [1e-20, 1.0, 1e30] {
        let unit = space(Metric::InnerProduct).checked(vec![scale; 8]).unwrap();
        let length: f32 = unit.iter().map(|v| v * v).sum();
        assert!((length - 1.0).abs() < 1e-5, "{scale}: {length}");
    }
}

#[test]
fn vectors_of_l2_keep_their_length_within_half_precision() {
    let space = space(Metric::L2);
    assert_eq!(space.checked(vec![218.0; 8]), Ok(vec![218.0; 8]));
    assert_eq!(space.checked(vec![70_000.0; 8]), Err(VectorError::OutOfRange(0)));
}

#[test]
fn text_is_embedded_unless_the_caller_gives_a_vector() {
    let space = space(Metric::InnerProduct);
    assert_eq!(space.stored(Vec::new(), "a cat on the mat").unwrap().dim(), 8);
    assert_eq!(space.stored(Vec::new(), "…").unwrap().dim(), 0);
    let given = space.stored(vec![2.0; 8], "a cat").unwrap();
    assert!((given.to_f32()[0] - 8f32.sqrt().recip()).abs() < 1e-3);
}
