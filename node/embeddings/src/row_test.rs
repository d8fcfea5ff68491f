//! Tests of the row record.

use super::*;

fn record() -> RowRecord {
    let meta = RowMeta {
        post: PostId(0x0102_0304_0506_0708),
        author: UserId(9),
        version: Version(10),
        tag: u64::MAX,
        slot: Slot(16_383),
    };
    RowRecord::new(meta, &[f16::ONE; 32])
}

#[test]
fn a_record_keeps_its_bytes() {
    let bytes = record().encode();
    let golden = [
        8, 7, 6, 5, 4, 3, 2, 1, 9, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 63, 0, 0,
    ];
    assert_eq!(bytes[..36], golden);
    assert_eq!(bytes[36..], [0xc0, 0x6d, 0xe3, 0x64]);
    assert_eq!(RowRecord::decode(&bytes), Some(record()));
}

#[test]
fn every_flipped_byte_of_record_or_vector_is_noticed() {
    let (bytes, row) = (record().encode(), [f16::ONE; 32]);
    let sound = |bytes: &[u8; RECORD], row: &[f16]| RowRecord::decode(bytes).is_some_and(|record| record.matches(row));
    assert!(sound(&bytes, &row));
    for at in 0..RECORD {
        let mut damaged = bytes;
        damaged[at] ^= 1;
        assert!(!sound(&damaged, &row), "byte {at} of the record");
    }
    for at in 0..2 * row.len() {
        let mut damaged = row;
        damaged.as_mut_bytes()[at] ^= 1;
        assert!(!sound(&bytes, &damaged), "byte {at} of the vector");
    }
}

#[test]
fn the_checksum_covers_vector_and_meta() {
    let record = record();
    assert!(record.matches(&[f16::ONE; 32]));
    let mut row = [f16::ONE; 32];
    row[31] = f16::NEG_ONE;
    assert!(!record.matches(&row));
    let other = RowRecord {
        meta: RowMeta {
            post: PostId(1),
            ..record.meta
        },
        ..record
    };
    assert!(!other.matches(&[f16::ONE; 32]));
}
