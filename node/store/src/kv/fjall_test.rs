//! The production store against the conformance suite, a kill, and a long run.

use std::collections::VecDeque;

use covey_env::{Disk, Env, OpenMode};

use super::*;
use crate::conformance::{self, scanned};

const OPTIONS: FjallOptions = FjallOptions {
    cache_bytes: 1 << 20,
    memtable_bytes: 1 << 20,
    journal_bytes: 64 << 20,
    workers: 1,
};

/// What the kernel holds of a directory now: what a killed process leaves behind.
fn copy_tree(disk: &dyn Disk, from: &Path, to: &Path) {
    disk.create_dir_all(to).unwrap();
    let mut left = VecDeque::from(disk.list(from).unwrap());
    while let Some(entry) = left.pop_front() {
        let target = to.join(entry.path.strip_prefix(from).unwrap());
        if entry.is_dir {
            disk.create_dir_all(&target).unwrap();
            left.extend(disk.list(&entry.path).unwrap());
        } else {
            let content = disk.read_file(&entry.path, 1 << 30).unwrap();
            disk.open(&target, OpenMode::CreateNew)
                .unwrap()
                .write_at(&content, 0)
                .unwrap();
        }
    }
}

#[test]
fn the_fjall_store_conforms() {
    let dir = tempfile::tempdir().unwrap();
    conformance::kv_rules(&mut || Box::new(FjallKv::open(dir.path(), &OPTIONS).unwrap()));
}

#[test]
fn after_a_kill_all_persisted_batches_are_there_and_nothing_out_of_order() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Env::production(1).unwrap().disk;
    for seed in 0..2 {
        let mut life = 0;
        let home = |life: u32| dir.path().join(format!("{seed}-{life}"));
        let first = Box::new(FjallKv::open(&home(0), &OPTIONS).unwrap());
        let mut reopen = |old: Box<dyn KvStore>| {
            copy_tree(&*disk, &home(life), &home(life + 1));
            drop(old);
            life += 1;
            Box::new(FjallKv::open(&home(life), &OPTIONS).unwrap()) as Box<dyn KvStore>
        };
        conformance::kv_keeps_what_it_persisted(seed, 60, &mut reopen, first);
    }
}

#[test]
fn a_damaged_journal_is_refused_and_not_cut() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Env::production(1).unwrap().disk;
    let store = FjallKv::open(&dir.path().join("store"), &OPTIONS).unwrap();
    for key in ["a", "b", "c"] {
        let mut batch = KvBatch::new();
        batch.put(key, "a recognisable value");
        store.commit(&batch).unwrap();
    }
    store.persist().unwrap();
    let copy = dir.path().join("copy");
    copy_tree(&*disk, &dir.path().join("store"), &copy);
    let journal = disk
        .list(&copy)
        .unwrap()
        .into_iter()
        .find(|entry| entry.path.extension().is_some_and(|e| e == "jnl"));
    let file = disk.open(&journal.unwrap().path, OpenMode::ReadWrite).unwrap();
    let mut content = vec![0; 4096];
    file.read_at(&mut content, 0).unwrap();
    let at = content
        .windows(12)
        .position(|window| window == b"recognisable")
        .unwrap();
    file.write_at(b"R", at as u64).unwrap();
    assert!(matches!(
        FjallKv::open(&copy, &OPTIONS),
        Err(KvError::Lsm { what: "open", .. })
    ));
}

#[test]
fn the_journal_does_not_grow_with_what_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let store = FjallKv::open(dir.path(), &OPTIONS).unwrap();
    let mut written = 0;
    let mut largest = 0;
    for round in 0..600u32 {
        let mut batch = KvBatch::new();
        for key in 0..50u32 {
            batch.put((round * 50 + key).to_be_bytes(), vec![round as u8; 4096]);
            written += 4096;
        }
        store.commit(&batch).unwrap();
        largest = largest.max(store.usage().unwrap().journal_bytes);
    }
    store.persist().unwrap();
    assert!(written > 110 << 20);
    // Pieces are preallocated with 64 MiB each as holes: what counts is that they don't pile up.
    assert!(
        largest < OPTIONS.journal_bytes * 6,
        "the journal took {largest} bytes of {written} written"
    );
    assert_eq!(scanned(&store, &KeyRange::prefix(&[0, 0])).len(), 30_000);
}
