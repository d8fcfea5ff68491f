//! Tests of the file formats.

use super::*;

fn record(dim: u32, floats: &[f32]) -> Vec<u8> {
    let mut bytes = dim.to_le_bytes().to_vec();
    floats.iter().for_each(|x| bytes.extend(x.to_le_bytes()));
    bytes
}

#[test]
fn fvecs_are_read_and_damage_is_named() {
    let good = [record(2, &[1.0, -2.5]), record(2, &[0.0, 3.0])].concat();
    assert_eq!(fvecs(&good), Ok((2, vec![vec![1.0, -2.5], vec![0.0, 3.0]])));
    let bad = |bytes: &[u8]| match fvecs(bytes) {
        Err(FormatError::Fvecs { record, .. }) => record,
        other => panic!("{other:?}"),
    };
    assert_eq!(bad(&[]), 0);
    assert_eq!(bad(&u32::MAX.to_le_bytes()), 0);
    assert_eq!(bad(&good[..good.len() - 1]), 1);
    assert_eq!(bad(&[record(2, &[1.0, 1.0]), record(3, &[1.0, 1.0])].concat()), 1);
}

fn picture_file(count: u32, height: u32, width: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3];
    [count, height, width]
        .iter()
        .for_each(|x| bytes.extend(x.to_be_bytes()));
    bytes.extend(body);
    bytes
}

#[test]
fn idx_is_read_and_damage_is_refused() {
    let good = picture_file(2, 1, 3, &[1, 2, 3, 4, 5, 255]);
    assert_eq!(idx(&good), Ok((3, vec![vec![1.0, 2.0, 3.0], vec![4.0, 5.0, 255.0]])));
    for bad in [
        &[][..],
        &good[..10],
        &good[..good.len() - 1],
        &[good.clone(), vec![0]].concat(),
        &[vec![0, 0, 8, 1], good[4..].to_vec()].concat(),
        &picture_file(u32::MAX, u32::MAX, u32::MAX, &[]),
        &picture_file(0, 0, 0, &[]),
    ] {
        assert!(matches!(idx(bad), Err(FormatError::Idx { .. })), "{bad:?}");
    }
}
