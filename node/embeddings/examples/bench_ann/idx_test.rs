//! Tests of the reader of idx files.

use super::*;

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
    assert_eq!(read(&good), Ok((3, vec![vec![1.0, 2.0, 3.0], vec![4.0, 5.0, 255.0]])));
    for bad in [
        &[][..],
        &good[..10],
        &good[..good.len() - 1],
        &[good.clone(), vec![0]].concat(),
        &[vec![0, 0, 8, 1], good[4..].to_vec()].concat(),
        &picture_file(u32::MAX, u32::MAX, u32::MAX, &[]),
        &picture_file(0, 0, 0, &[]),
    ] {
        assert!(matches!(read(bad), Err(IdxError { .. })), "{bad:?}");
    }
}
