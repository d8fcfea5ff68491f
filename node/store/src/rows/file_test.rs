//! The header of a row file has fixed bytes, and every damaged one is refused.

use super::*;

fn spec() -> RowFileSpec {
    RowFileSpec {
        row_bytes: 8,
        capacity: 2,
        description: b"dim 4".to_vec(),
    }
}

fn decode(block: &[u8]) -> Result<(u32, Vec<u8>), RowError> {
    decode_header(Path::new("/rows"), block)
}

/// The header with `change` made and the checksum right again.
fn changed(change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut block = encode_header(&spec());
    change(&mut block);
    let crc = crc32c::crc32c(&block[..CRC_AT]);
    block[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
    block
}

#[test]
fn a_header_has_these_bytes() {
    let block = encode_header(&spec());
    assert_eq!(block.len(), 4096);
    assert_eq!(&block[..25], b"COVEYROW\x01\0\0\0\x08\0\0\0\x05\0\0\0dim 4");
    assert!(block[25..4092].iter().all(|byte| *byte == 0));
    assert_eq!(block[4092..], [0x23, 0x26, 0xa5, 0xc3]);
    assert_eq!(decode(&block).unwrap(), (8, b"dim 4".to_vec()));
}

#[test]
fn a_header_with_any_flipped_byte_is_refused() {
    let mut block = encode_header(&spec());
    for at in 0..block.len() {
        block[at] ^= 0x10;
        assert!(matches!(decode(&block), Err(RowError::Header { .. })), "byte {at}");
        block[at] ^= 0x10;
    }
}

#[test]
fn a_whole_header_that_makes_no_sense_is_refused_and_a_newer_one_told_apart() {
    for (at, number) in [(12, 0), (12, MAX_ROW_BYTES + 1), (16, u32::MAX), (16, 4033)] {
        let block = changed(|block| block[at..at + 4].copy_from_slice(&number.to_le_bytes()));
        let refused = decode(&block);
        assert!(
            matches!(refused, Err(RowError::Header { .. })),
            "{number} at byte {at}: {refused:?}"
        );
    }
    let newer = decode(&changed(|block| block[8] = 2));
    assert!(
        matches!(
            newer,
            Err(RowError::Version {
                found: 2,
                supported: 1,
                ..
            })
        ),
        "{newer:?}"
    );
}
