//! Both forms of row files against the conformance suite; damage, power loss, readers beside the appender.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use covey_env::{Env, OpenMode};

use super::super::{HEADER_BYTES, ReadAtRowFile};
use super::*;
use crate::conformance::{RowFileAt, row_file_rules};
use crate::test_disk::TestDisk;

fn boxed(file: Result<impl RowFile + 'static, RowError>) -> Result<Box<dyn RowFile>, RowError> {
    file.map(|file| Box::new(file) as Box<dyn RowFile>)
}

fn spec() -> RowFileSpec {
    RowFileSpec {
        row_bytes: 8,
        capacity: 100_000,
        description: b"dim 4".to_vec(),
    }
}

#[test]
fn the_mapped_form_conforms() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Env::production(1).unwrap().disk;
    row_file_rules(dir.path(), &mut |at| match at {
        RowFileAt::Create(path, spec) => boxed(MmapRowFile::create(&*disk, path, spec)),
        RowFileAt::Open(path, len) => boxed(MmapRowFile::open(&*disk, path, len)),
    });
}

#[test]
fn the_read_form_conforms() {
    let disk = TestDisk::new();
    disk.create_dir_all(Path::new("/rows")).unwrap();
    row_file_rules(Path::new("/rows"), &mut |at| match at {
        RowFileAt::Create(path, spec) => boxed(ReadAtRowFile::create(&disk, path, spec)),
        RowFileAt::Open(path, len) => boxed(ReadAtRowFile::open(&disk, path, len)),
    });
}

#[test]
fn a_file_has_these_bytes_and_both_forms_read_them() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Env::production(1).unwrap().disk;
    let path = dir.path().join("rows");
    let file = MmapRowFile::create(&*disk, &path, RowFileSpec { capacity: 2, ..spec() }).unwrap();
    file.append(b"row zero").unwrap();
    drop(file);
    let content = disk.read_file(&path, 1 << 20).unwrap();
    assert_eq!(content.len(), HEADER_BYTES + 16);
    assert_eq!(&content[..25], b"COVEYROW\x01\0\0\0\x08\0\0\0\x05\0\0\0dim 4");
    assert_eq!(content[4092..4096], crc32c::crc32c(&content[..4092]).to_le_bytes());
    assert_eq!(&content[4096..], b"row zero\0\0\0\0\0\0\0\0");
    assert_eq!(
        &*ReadAtRowFile::open(&*disk, &path, 1).unwrap().row(0).unwrap(),
        b"row zero"
    );
}

#[test]
fn a_damaged_header_is_refused_and_a_newer_format_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Env::production(1).unwrap().disk;
    let path = dir.path().join("rows");
    drop(MmapRowFile::create(&*disk, &path, spec()).unwrap());
    let file = disk.open(&path, OpenMode::ReadWrite).unwrap();
    let mut header = vec![0; HEADER_BYTES];
    file.read_at(&mut header, 0).unwrap();
    for at in [0, 9, 12, 16, 20, 3000, 4095] {
        let mut damaged = header.clone();
        damaged[at] ^= 4;
        file.write_at(&damaged, 0).unwrap();
        assert!(
            matches!(MmapRowFile::open(&*disk, &path, 0), Err(RowError::Header { .. })),
            "byte {at}"
        );
    }
    header[8] = 9;
    let crc = crc32c::crc32c(&header[..4092]).to_le_bytes();
    header[4092..].copy_from_slice(&crc);
    file.write_at(&header, 0).unwrap();
    assert!(matches!(
        MmapRowFile::open(&*disk, &path, 0),
        Err(RowError::Version { found: 9, .. })
    ));
    file.set_len(100).unwrap();
    assert!(matches!(
        MmapRowFile::open(&*disk, &path, 0),
        Err(RowError::Header { .. })
    ));
}

#[test]
fn a_disk_without_descriptors_is_not_mapped() {
    let disk = TestDisk::new();
    let made = MmapRowFile::create(&disk, Path::new("/rows"), spec());
    assert!(matches!(made, Err(RowError::NotMappable { .. })));
}

#[test]
fn a_power_loss_keeps_the_synced_rows() {
    let disk = TestDisk::new();
    let path = Path::new("/rows");
    let file = ReadAtRowFile::create(&disk, path, spec()).unwrap();
    file.append(&[1; 800]).unwrap();
    file.sync().unwrap();
    file.append(&[2; 800]).unwrap();
    let disk = disk.after_power_loss(|| false);
    let file = ReadAtRowFile::open(&disk, path, 100).unwrap();
    assert_eq!(*file.rows(0..100).unwrap(), [1; 800]);
    assert_eq!(file.spec(), &spec());
}

#[test]
fn readers_see_whole_rows_while_one_thread_appends() {
    let dir = tempfile::tempdir().unwrap();
    let env = Env::production(2).unwrap();
    let file = std::sync::Arc::new(MmapRowFile::create(&*env.disk, &dir.path().join("rows"), spec()).unwrap());
    let (done, finished) = mpsc::sync_channel(1);
    let stop = std::sync::Arc::new(AtomicBool::new(false));
    let (reader, ended) = (file.clone(), stop.clone());
    env.spawn.compute(Box::new(move || {
        let mut seen = 0;
        while !ended.load(Ordering::Acquire) || seen < reader.len() {
            let len = reader.len();
            let rows = reader.rows(seen..len).unwrap();
            for (ordinal, row) in (seen..).zip(rows.chunks(8)) {
                assert_eq!(row, (ordinal + 1).to_le_bytes(), "row {ordinal}");
            }
            seen = len;
        }
        done.send(seen).unwrap();
    }));
    for ordinal in 0..20_000u64 {
        file.append(&(ordinal + 1).to_le_bytes()).unwrap();
    }
    stop.store(true, Ordering::Release);
    assert_eq!(finished.recv().unwrap(), 20_000);
}
