//! Tests of the frame.

use super::*;
use crate::fixture;

fn space() -> SpaceSpec {
    SpaceSpec {
        model_epoch: ModelEpoch(3),
        ..fixture::space(100, Metric::Cosine)
    }
}

fn open(bytes: &[u8], space: &SpaceSpec) -> Result<Vec<u8>, PartitionError> {
    unwrap(FileKind::Meta, space, Path::new("/x/meta"), bytes).map(<[u8]>::to_vec)
}

#[test]
fn the_frame_keeps_its_bytes() {
    let bytes = wrap(FileKind::Meta, &space(), b"body");
    assert_eq!(&bytes[..8], b"CVSMETA\n");
    assert_eq!(bytes[8..12], [0x50, 0xc1, 0x36, 0xcb]);
    assert_eq!(bytes[12..16], [26, 0, 0, 0]);
    assert_eq!(bytes[16..26], [1, 0, 7, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(&bytes[26..33], b"content");
    assert_eq!(bytes[33..], [100, 0, 0, 0, 1, 3, 0, 0, 0, b'b', b'o', b'd', b'y']);
    assert_eq!(open(&bytes, &space()).unwrap(), b"body");
}

#[test]
fn every_kind_and_metric_has_a_number_of_its_own() {
    let kinds = [
        (FileKind::Manifest, b"CVMANIF\n"),
        (FileKind::Rows, b"CVROWSE\n"),
        (FileKind::Ids, b"CVROWID\n"),
        (FileKind::Index, b"CVINDEX\n"),
        (FileKind::Meta, b"CVSMETA\n"),
    ];
    for (kind, magic) in kinds {
        assert_eq!(wrap(kind, &space(), &[])[..8], *magic);
    }
    for (metric, number) in [(Metric::InnerProduct, 0), (Metric::Cosine, 1), (Metric::L2, 2)] {
        let space = SpaceSpec { metric, ..space() };
        assert_eq!(wrap(FileKind::Meta, &space, &[])[37], number);
    }
}

/// A frame with one byte changed and the checksum right again.
pub(crate) fn resealed(frame: &[u8], at: usize, byte: u8) -> Vec<u8> {
    let mut bytes = frame.to_vec();
    bytes[at] = byte;
    let sum = crc32c::crc32c(&bytes[12..]);
    bytes[8..12].copy_from_slice(&sum.to_le_bytes());
    bytes
}

#[test]
fn a_newer_frame_is_told_apart_from_damage() {
    let frame = wrap(FileKind::Meta, &space(), b"body");
    let newer = open(&resealed(&frame, 16, 2), &space());
    assert!(
        matches!(newer, Err(PartitionError::Newer { found: 2, known: 1, .. })),
        "{newer:?}"
    );
    for (at, byte) in [(16, 0), (12, 27), (12, 25), (13, 1), (18, 200)] {
        let refused = open(&resealed(&frame, at, byte), &space());
        assert!(
            matches!(refused, Err(PartitionError::Damaged { .. })),
            "byte {at}: {refused:?}"
        );
    }
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    let bytes = wrap(FileKind::Meta, &space(), b"body");
    for at in 0..bytes.len() {
        let mut broken = bytes.clone();
        broken[at] ^= 4;
        assert!(
            matches!(open(&broken, &space()), Err(PartitionError::Damaged { .. })),
            "byte {at}"
        );
        assert!(
            matches!(open(&bytes[..at], &space()), Err(PartitionError::Damaged { .. })),
            "cut at {at}"
        );
    }
}

#[test]
fn files_of_another_space_or_kind_are_refused() {
    let bytes = wrap(FileKind::Meta, &space(), b"body");
    for other in [
        SpaceSpec {
            name: "other".into(),
            ..space()
        },
        SpaceSpec { dim: 101, ..space() },
        SpaceSpec {
            metric: Metric::L2,
            ..space()
        },
        SpaceSpec {
            model_epoch: ModelEpoch(4),
            ..space()
        },
    ] {
        assert!(
            matches!(open(&bytes, &other), Err(PartitionError::WrongSpace { .. })),
            "{other:?}"
        );
    }
    let kind = unwrap(FileKind::Manifest, &space(), Path::new("/x/MANIFEST"), &bytes);
    assert!(matches!(kind, Err(PartitionError::Damaged { .. })));
}
