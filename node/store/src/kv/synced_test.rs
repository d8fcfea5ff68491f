//! The mark has fixed bytes, and a damaged, lost or newer one is refused.

use super::*;
use crate::test_disk::TestDisk;

const GOLDEN: &[u8] = b"COVEYJS1\x02\0\0\0\
    \x03\0\0\0\0\0\0\0\x34\x12\0\0\0\0\0\0\xef\xbe\xad\xde\
    \x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

fn synced() -> Synced {
    let part = |journal, bytes, crc| Part { journal, bytes, crc };
    Synced(vec![part(3, 0x1234, 0xdead_beef), part(4, 0, 0)])
}

fn dir() -> &'static Path {
    Path::new("/data/kv")
}

/// The golden bytes and their checksum.
fn golden() -> Vec<u8> {
    let mut content = GOLDEN.to_vec();
    content.extend(crc32c::crc32c(GOLDEN).to_le_bytes());
    content
}

/// What a mark of this content is read as.
fn read(content: &[u8]) -> Result<Synced, KvError> {
    let disk = TestDisk::new();
    disk.create_dir_all(dir()).unwrap();
    (&disk as &dyn Disk).replace_file(&dir().join(NAME), content).unwrap();
    Synced::load(&disk, dir())
}

#[test]
fn a_mark_has_these_bytes() {
    let disk = TestDisk::new();
    disk.create_dir_all(dir()).unwrap();
    synced().store(&disk, dir()).unwrap();
    let content = (&disk as &dyn Disk).read_file(&dir().join(NAME), MAX_LEN).unwrap();
    assert_eq!(content, golden());
    assert_eq!(read(&content).unwrap(), synced());
}

#[test]
fn a_mark_with_any_flipped_byte_or_cut_is_refused() {
    let golden = golden();
    for at in 0..golden.len() {
        let mut damaged = golden.clone();
        damaged[at] ^= 1;
        for content in [&damaged[..], &golden[..at]] {
            let refused = read(content);
            assert!(
                matches!(refused, Err(KvError::Corrupt { .. })),
                "byte {at}: {refused:?}"
            );
        }
    }
}

#[test]
fn a_newer_mark_is_told_apart_from_damage() {
    let mut newer = GOLDEN.to_vec();
    newer[7] = b'2';
    newer.extend(b"something more");
    newer.extend(crc32c::crc32c(&newer).to_le_bytes());
    let refused = read(&newer);
    let supported = u32::from(FORMAT_VERSION);
    assert!(
        matches!(refused, Err(KvError::Version { found: 2, supported: known, .. }) if known == supported),
        "{refused:?}"
    );
}

#[test]
fn a_lost_mark_is_refused_where_there_is_a_journal() {
    let disk = TestDisk::new();
    disk.create_dir_all(dir()).unwrap();
    disk.open(&dir().join("0.jnl"), OpenMode::CreateNew).unwrap();
    let refused = Synced::load(&disk, dir());
    assert!(matches!(refused, Err(KvError::Corrupt { .. })), "{refused:?}");
    disk.remove_file(&dir().join("0.jnl")).unwrap();
    assert_eq!(Synced::load(&disk, dir()).unwrap(), Synced::default());
}

#[test]
fn journals_are_marked_one_by_one_and_what_follows_the_marks_is_cut() {
    let disk = TestDisk::new();
    disk.create_dir_all(dir()).unwrap();
    let journal = |number: u64, content: &[u8]| {
        let path = dir().join(format!("{number}.jnl"));
        let file = disk.open(&path, OpenMode::CreateNew).unwrap();
        file.set_len(1000).unwrap();
        file.write_at(content, 0).unwrap();
        file
    };
    let sync = |before: &Synced| before.measure(&disk, dir()).unwrap().sync(&disk).unwrap();
    journal(9, b"nine");
    let first = sync(&Synced::default());
    let tenth = journal(10, b"ten");
    let second = sync(&first);
    assert_eq!((first.bytes(), second.bytes()), (4, 7));
    tenth.write_at(b", eleven", 3).unwrap();
    journal(11, b"twelve");
    assert_eq!(second.damaged(&disk, dir()).unwrap(), None);
    second.cut_later(&disk, dir()).unwrap();
    let lens = [9, 10, 11].map(|n| {
        let path = dir().join(format!("{n}.jnl"));
        disk.open(&path, OpenMode::Read).unwrap().len().unwrap()
    });
    assert_eq!(lens, [4, 3, 0]);
    tenth.write_at(b"T", 0).unwrap();
    assert_eq!(second.damaged(&disk, dir()).unwrap(), Some(dir().join("10.jnl")));
}
