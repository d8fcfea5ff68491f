//! Tests of the frame.

use super::*;

fn space() -> SpaceSpec {
    SpaceSpec {
        name: "content".into(),
        dim: 100,
        metric: Metric::Cosine,
        model_epoch: ModelEpoch(3),
    }
}

fn open(bytes: &[u8], space: &SpaceSpec) -> Result<Vec<u8>, PartitionError> {
    unwrap(FileKind::Meta, space, Path::new("/x/meta"), bytes).map(<[u8]>::to_vec)
}

#[test]
fn the_frame_keeps_its_bytes() {
    let bytes = wrap(FileKind::Meta, &space(), b"body");
    assert_eq!(&bytes[..8], b"CVSMETA\n");
    assert_eq!(bytes[12..16], [26, 0, 0, 0]);
    assert_eq!(bytes[16..26], [1, 0, 7, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(&bytes[26..33], b"content");
    assert_eq!(bytes[33..], [100, 0, 0, 0, 1, 3, 0, 0, 0, b'b', b'o', b'd', b'y']);
    assert_eq!(open(&bytes, &space()).unwrap(), b"body");
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
