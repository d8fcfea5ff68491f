//! The journal store against the conformance suite, power losses and damage.

use super::*;
use crate::conformance::{self, Seeded, scanned};
use crate::log::record::RECORD_HEADER;
use crate::test_disk::TestDisk;

fn dir() -> &'static Path {
    Path::new("/data/kv")
}

fn open(disk: &TestDisk) -> Result<JournalKv, KvError> {
    JournalKv::open(disk.shared(), dir())
}

fn commit(store: &dyn KvStore, key: &str, value: &[u8]) {
    let mut batch = KvBatch::new();
    batch.put(key, value);
    store.commit(&batch).unwrap();
}

#[test]
fn the_journal_store_conforms() {
    let disk = TestDisk::new();
    conformance::kv_rules(&mut || Box::new(open(&disk).unwrap()));
}

#[test]
fn after_any_power_loss_all_persisted_batches_are_there_and_nothing_out_of_order() {
    for seed in 0..20 {
        let mut disk = TestDisk::new();
        let mut random = Seeded::new(seed);
        let luck = 1 + random.below(5);
        let first = Box::new(open(&disk).unwrap());
        let mut reopen = |old: Box<dyn KvStore>| {
            drop(old);
            disk = disk.after_power_loss(|| random.one_in(luck));
            Box::new(open(&disk).unwrap_or_else(|error| panic!("seed {seed}: {error}"))) as Box<dyn KvStore>
        };
        conformance::kv_keeps_what_it_persisted(seed, 300, &mut reopen, first);
    }
}

#[test]
fn the_journal_is_rewritten_when_it_has_doubled_and_snapshots_outlive_that() {
    let disk = TestDisk::new();
    let store = open(&disk).unwrap();
    commit(&store, "a", b"old");
    let snapshot = store.snapshot();
    for round in 0..2000u64 {
        commit(&store, &format!("{}", round % 10), &[round as u8; 500]);
    }
    assert!(store.usage().unwrap().journal_bytes < 2 * REWRITE_FROM as u64);
    assert_eq!(snapshot.get(b"1").unwrap(), None);
    store.persist().unwrap();
    let pairs = scanned(&store, &KeyRange::all());
    assert_eq!(pairs.len(), 11);
    drop(store);
    assert_eq!(scanned(&open(&disk).unwrap(), &KeyRange::all()), pairs);
}

#[test]
fn a_damaged_middle_is_refused_and_a_newer_format_told_apart() {
    let disk = TestDisk::new();
    let store = open(&disk).unwrap();
    for key in ["a", "b", "c"] {
        commit(&store, key, b"value");
        store.persist().unwrap();
    }
    drop(store);
    let path = dir().join("journal");
    let damaged = disk.copy();
    damaged.tamper(&path, |content| content[HEADER + RECORD_HEADER + 40] ^= 1);
    assert!(matches!(open(&damaged), Err(KvError::Corrupt { offset, .. }) if offset >= HEADER as u64));
    disk.tamper(&path, |content| {
        content[8] = 7;
        let crc = crc32c::crc32c(&content[..20]);
        content[20..24].copy_from_slice(&crc.to_le_bytes());
    });
    assert!(matches!(open(&disk), Err(KvError::Version { found: 7, .. })));
}

/// A journal with one batch: `a` is set, `b` removed.
fn golden() -> Vec<u8> {
    let header = b"COVEYKVJ\x01\0\0\0\x01\0\0\0\0\0\0\0\x9b\x7e\xda\xe4";
    let empty = b"\x08\0\0\0\x89\x1d\xf3\x78\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0";
    let batch = b"\x25\0\0\0\xc2\xb6\xe6\x4d\x02\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x89\x1d\xf3\x78\x01\0\0\0\
        \x02\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0a\x01\x01\0\0\0\0\0\0\x001\x01\0\0\0\0\0\0\0b\0\0\0\0";
    [&header[..], &empty[..], &batch[..]].concat()
}

#[test]
fn a_journal_has_these_bytes_and_any_flipped_byte_of_what_was_synced_is_refused() {
    let disk = TestDisk::new();
    let store = open(&disk).unwrap();
    let mut batch = KvBatch::new();
    batch.put("a", "1").delete("b");
    store.commit(&batch).unwrap();
    let path = dir().join("journal");
    let content = (&disk as &dyn Disk).read_file(&path, 1 << 20).unwrap();
    assert_eq!(content, golden());
    let synced = HEADER + RECORD_HEADER + 8;
    for at in 0..synced {
        let damaged = disk.copy();
        damaged.tamper(&path, |content| content[at] ^= 1);
        let refused = open(&damaged);
        assert!(
            matches!(refused, Err(KvError::Corrupt { .. })),
            "byte {at}: {refused:?}"
        );
    }
}

#[test]
fn a_record_of_a_newer_release_is_told_apart_from_damage() {
    let disk = TestDisk::new();
    drop(open(&disk).unwrap());
    disk.tamper(&dir().join("journal"), |content| {
        let salt = crc32c::crc32c(&content[..20]);
        let record = &mut content[HEADER..];
        record[28] = 2;
        let crc = crc32c::crc32c_append(crc32c::crc32c_append(salt, &record[..4]), &record[8..]);
        record[4..8].copy_from_slice(&crc.to_le_bytes());
    });
    let refused = open(&disk);
    assert!(matches!(refused, Err(KvError::Version { found: 2, .. })), "{refused:?}");
}

#[test]
fn after_a_failed_sync_the_store_refuses_all_writes() {
    let disk = TestDisk::new();
    let store = open(&disk).unwrap();
    commit(&store, "a", b"1");
    disk.fail_syncs(true);
    assert!(matches!(store.persist(), Err(KvError::Io { what: "sync", .. })));
    disk.fail_syncs(false);
    assert!(matches!(store.persist(), Err(KvError::Poisoned { .. })));
    assert!(matches!(store.commit(&KvBatch::new()), Ok(())));
    let mut batch = KvBatch::new();
    batch.delete("a");
    assert!(matches!(store.commit(&batch), Err(KvError::Poisoned { .. })));
}

#[test]
fn a_journal_whose_last_padding_is_cut_off_keeps_the_record() {
    let disk = TestDisk::new();
    let dir = Path::new("/kv");
    let kv = JournalKv::open(disk.shared(), dir).unwrap();
    for length in 1..12 {
        let mut batch = KvBatch::new();
        batch.put(b"key".to_vec(), vec![7; length]);
        kv.commit(&batch).unwrap();
        let copy = disk.copy();
        let path = dir.join("journal");
        copy.tamper(&path, |content| {
            let whole = content.iter().rposition(|byte| *byte != 0).unwrap() + 1;
            content.truncate(whole);
        });
        for _ in 0..2 {
            let kv = JournalKv::open(copy.shared(), dir).unwrap();
            assert_eq!(kv.get(b"key").unwrap().unwrap(), vec![7; length]);
        }
    }
}
