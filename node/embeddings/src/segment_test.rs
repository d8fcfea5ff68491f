//! The file `meta` has fixed bytes, and a damaged or newer one is refused.

use covey_ann::Metric;
use covey_env::OpenMode;

use super::*;
use crate::envelope::tests::resealed;
use crate::fixture::{env, space};

const GOLDEN: &[u8; 88] = b"CVSMETA\n\xfe\x40\x45\xde\
    \x1a\0\0\0\x01\0\x07\0\0\0\0\0\0\0content\x08\0\0\0\x02\0\0\0\0\
    \x01\0\x02\0\0\0\x04\x03\x02\x01\0\0\0\0\x02\0\0\0\0\0\0\0\
    \x04\0\0\0\x28\0\0\0\0\0\x40\x3f\x10\0\0\0\x50\0\0\0\0\0\x80\x3f";

fn meta() -> SegmentMeta {
    let effort = |value, candidates, recall| Effort {
        value,
        candidates,
        recall,
    };
    SegmentMeta {
        rows: 2,
        records_checksum: 0x0102_0304,
        served: Served::Index,
        efforts: vec![effort(4, 40, 0.75), effort(16, 80, 1.0)],
    }
}

/// What a folder of two rows makes of these bytes.
fn read(content: &[u8]) -> Result<SegmentMeta, PartitionError> {
    let (env, dir) = (env(), tempfile::tempdir().unwrap());
    let file = env.disk.open(&meta_path(dir.path()), OpenMode::CreateNew).unwrap();
    file.write_at(content, 0).unwrap();
    read_meta(&*env.disk, &space(8, Metric::L2), dir.path(), 2)
}

#[test]
fn a_meta_has_these_bytes() {
    let (env, dir) = (env(), tempfile::tempdir().unwrap());
    save_index(&*env.disk, &space(8, Metric::L2), dir.path(), None, &meta()).unwrap();
    let content = env.disk.read_file(&meta_path(dir.path()), MAX_META).unwrap();
    assert_eq!(content, GOLDEN);
    assert_eq!(read(GOLDEN).unwrap(), meta());
    let numbers = [Served::Index, Served::Flat, Served::LowRecall, Served::Unbuilt];
    for (number, served) in (0..).zip(numbers) {
        assert_eq!(read(&resealed(GOLDEN, 52, number)).unwrap().served, served);
    }
}

#[test]
fn a_meta_with_any_flipped_byte_or_cut_is_refused() {
    for at in 0..GOLDEN.len() {
        let mut damaged = *GOLDEN;
        damaged[at] ^= 1;
        assert!(
            matches!(read(&damaged), Err(PartitionError::Damaged { .. })),
            "byte {at}"
        );
        assert!(
            matches!(read(&GOLDEN[..at]), Err(PartitionError::Damaged { .. })),
            "cut at {at}"
        );
    }
}

#[test]
fn a_newer_meta_and_one_of_other_rows_are_told_apart() {
    let newer = read(&resealed(GOLDEN, 42, 2));
    assert!(
        matches!(newer, Err(PartitionError::Newer { found: 2, known: 1, .. })),
        "{newer:?}"
    );
    for (at, byte) in [(44, 3), (52, 4), (56, 3)] {
        let refused = read(&resealed(GOLDEN, at, byte));
        assert!(
            matches!(refused, Err(PartitionError::Damaged { .. })),
            "byte {at}: {refused:?}"
        );
    }
}
