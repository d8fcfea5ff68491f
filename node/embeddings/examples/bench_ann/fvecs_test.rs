//! Tests of the reader of fvecs files.

use super::*;

fn record(dim: u32, floats: &[f32]) -> Vec<u8> {
    let mut bytes = dim.to_le_bytes().to_vec();
    floats.iter().for_each(|x| bytes.extend(x.to_le_bytes()));
    bytes
}

#[test]
fn fvecs_are_read_and_damage_is_named() {
    let good = [record(2, &[1.0, -2.5]), record(2, &[0.0, 3.0])].concat();
    assert_eq!(read(&good), Ok((2, vec![vec![1.0, -2.5], vec![0.0, 3.0]])));
    let bad = |bytes: &[u8]| match read(bytes) {
        Err(FvecsError { record, .. }) => record,
        other => panic!("{other:?}"),
    };
    assert_eq!(bad(&[]), 0);
    assert_eq!(bad(&u32::MAX.to_le_bytes()), 0);
    assert_eq!(bad(&good[..good.len() - 1]), 1);
    assert_eq!(bad(&[record(2, &[1.0, 1.0]), record(3, &[1.0, 1.0])].concat()), 1);
}
