//! A folder's row files have fixed bytes.

use covey_ann::{Metric, encode_row};
use covey_env::OpenMode;
use covey_shared::ids::{PostId, UserId, Version};
use covey_shared::slots::Slot;
use covey_store::rows::HEADER_BYTES;

use super::*;
use crate::fixture::{env, space};
use crate::row::RowMeta;

fn record(row: &[f16]) -> RowRecord {
    let meta = RowMeta {
        post: PostId(1),
        author: UserId(2),
        version: Version(3),
        tag: 4,
        slot: Slot(5),
    };
    RowRecord::new(meta, row)
}

/// A folder with one row and room for two.
fn folder(disk: &dyn Disk, dir: &Path) {
    let row = encode_row(Metric::L2, 2, &[1.0, -2.0]).unwrap();
    let mut writer = FolderWriter::create(disk, &space(2, Metric::L2), dir, 2).unwrap();
    writer.append(&row, &[record(&row)]).unwrap();
    writer.sync().unwrap();
}

/// Magic, version, row bytes, description length, description, checksum.
fn check_header(content: &[u8], row_bytes: u8, kind: &[u8; 8], crc: [u8; 4]) {
    assert_eq!(&content[..12], b"COVEYROW\x01\0\0\0");
    assert_eq!(content[12..20], [row_bytes, 0, 0, 0, 42, 0, 0, 0]);
    assert_eq!(&content[20..28], kind);
    let frame = b"\xf1\xf3\x72\xd2\x1a\0\0\0\x01\0\x07\0\0\0\0\0\0\0content\x02\0\0\0\x02\0\0\0\0";
    assert_eq!(&content[28..62], frame);
    assert!(content[62..4092].iter().all(|byte| *byte == 0));
    assert_eq!(content[4092..4096], crc);
}

#[test]
fn the_row_files_of_a_folder_have_these_bytes() {
    let (env, parent) = (env(), tempfile::tempdir().unwrap());
    let dir = FolderId(42).dir(parent.path());
    folder(&*env.disk, &dir);
    assert!(dir.ends_with("000042"));
    let read = |name| env.disk.read_file(&dir.join(name), 1 << 20).unwrap();

    let rows = read("rows.emb");
    check_header(&rows, 64, b"CVROWSE\n", [0xda, 0xd5, 0xf3, 0x42]);
    assert_eq!(rows.len(), HEADER_BYTES + 2 * 64);
    assert_eq!(rows[4096..4100], [0x00, 0x3c, 0x00, 0xc0]);
    assert!(rows[4100..].iter().all(|byte| *byte == 0));

    let ids = read("rows.ids");
    check_header(&ids, 40, b"CVROWID\n", [0x44, 0x4b, 0xd1, 0xea]);
    assert_eq!(ids.len(), HEADER_BYTES + 2 * 40);
    let golden = [
        1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0,
        0x59, 0x05, 0x4c, 0xbe,
    ];
    assert_eq!(ids[4096..4136], golden);
    assert!(ids[4136..].iter().all(|byte| *byte == 0));
    let records = read_records(&*env.disk, &space(2, Metric::L2), &dir, 1).unwrap();
    let kept = SegmentRows::open(&*env.disk, &space(2, Metric::L2), &dir, 1).unwrap();
    assert!(records[0].matches(kept.range(0, 1)));
}

#[test]
fn a_record_with_bytes_that_mean_nothing_is_refused() {
    let (env, parent) = (env(), tempfile::tempdir().unwrap());
    let dir = FolderId(0).dir(parent.path());
    folder(&*env.disk, &dir);
    let file = env.disk.open(&ids_path(&dir), OpenMode::ReadWrite).unwrap();
    file.write_at(&[1], 4096 + 35).unwrap();
    let refused = read_records(&*env.disk, &space(2, Metric::L2), &dir, 1);
    assert!(matches!(refused, Err(PartitionError::Damaged { .. })), "{refused:?}");
}
