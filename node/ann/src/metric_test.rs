//! Tests of row encoding.

use super::*;

#[test]
fn cosine_rows_have_length_one_and_are_padded_with_zeros() {
    let row = encode_row(Metric::Cosine, 3, &[3.0, 0.0, 4.0]).unwrap();
    assert_eq!(row.len(), LANES);
    assert_eq!(
        [row[0].to_f32(), row[1].to_f32(), row[2].to_f32()],
        [0.6001, 0.0, 0.7998].map(|x| f16::from_f32(x).to_f32())
    );
    assert!(row[3..].iter().all(|x| x.to_bits() == 0));
}

#[test]
fn bad_vectors_are_refused_with_the_reason() {
    let refuse = |v: &[f32]| encode_row(Metric::InnerProduct, 2, v).unwrap_err();
    assert!(matches!(
        refuse(&[1.0]),
        AnnError::WrongDimension { expected: 2, got: 1 }
    ));
    assert!(matches!(refuse(&[1.0, f32::NAN]), AnnError::NotFinite { position: 1 }));
    assert!(matches!(
        refuse(&[f32::INFINITY, 1.0]),
        AnnError::NotFinite { position: 0 }
    ));
    assert!(matches!(refuse(&[1.0, 7e4]), AnnError::NotFinite { position: 1 }));
    assert!(matches!(refuse(&[0.0, -0.0]), AnnError::ZeroVector));
    assert!(matches!(refuse(&[1e-20, 0.0]), AnnError::ZeroVector), "vanishes in f16");
}

#[test]
fn cosine_accepts_tiny_vectors_because_only_their_direction_counts() {
    let row = encode_row(Metric::Cosine, 2, &[1e-20, 0.0]).unwrap();
    assert_eq!(row[0].to_f32(), 1.0);
}

#[test]
fn a_row_that_is_encoded_again_keeps_its_bits() {
    let mut bits = 42_u32;
    let mut element = || {
        bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (bits >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    for metric in [Metric::Cosine, Metric::InnerProduct, Metric::L2] {
        for dim in (1..40).flat_map(|dim| [dim; 50]) {
            let vector: Vec<f32> = (0..dim).map(|_| element()).collect();
            let row = encode_row(metric, dim, &vector).unwrap();
            let again: Vec<f32> = row[..dim].iter().map(|x| x.to_f32()).collect();
            assert_eq!(
                encode_row(metric, dim, &again).unwrap(),
                row,
                "{metric:?}, {dim} dimensions"
            );
        }
    }
}
