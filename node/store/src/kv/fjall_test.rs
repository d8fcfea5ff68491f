//! The production store against the conformance suite, a kill, and a long run.

use std::collections::VecDeque;
use std::sync::mpsc::TryRecvError;

use covey_env::{Disk, Env, OpenMode};

use super::*;
use crate::conformance::{self, scanned};

const OPTIONS: FjallOptions = FjallOptions {
    cache_bytes: 1 << 20,
    memtable_bytes: 1 << 20,
    journal_bytes: 64 << 20,
    workers: 1,
};

fn open(dir: &Path) -> Result<FjallKv, KvError> {
    FjallKv::open(Env::production(1).unwrap().disk, dir, &OPTIONS)
}

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
    conformance::kv_rules(&mut || Box::new(open(dir.path()).unwrap()));
}

#[test]
fn after_a_kill_all_persisted_batches_are_there_and_nothing_out_of_order() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Env::production(1).unwrap().disk;
    for seed in 0..2 {
        let mut life = 0;
        let home = |life: u32| dir.path().join(format!("{seed}-{life}"));
        let first = Box::new(open(&home(0)).unwrap());
        let mut reopen = |old: Box<dyn KvStore>| {
            copy_tree(&*disk, &home(life), &home(life + 1));
            drop(old);
            life += 1;
            Box::new(open(&home(life)).unwrap()) as Box<dyn KvStore>
        };
        conformance::kv_keeps_what_it_persisted(seed, 60, &mut reopen, first);
    }
}

fn put(store: &FjallKv, key: &str) {
    let mut batch = KvBatch::new();
    batch.put(key, "a recognisable value");
    store.commit(&batch).unwrap();
}

/// Three batches before the last sync and three after it, as a killed process leaves them.
fn left_behind(dir: &Path) -> PathBuf {
    let disk = Env::production(1).unwrap().disk;
    let store = open(&dir.join("store")).unwrap();
    for key in ["a", "b", "c"] {
        put(&store, key);
    }
    store.persist().unwrap();
    for key in ["d", "e", "f"] {
        put(&store, key);
    }
    store.database.persist(PersistMode::Buffer).unwrap();
    let copy = dir.join("copy");
    copy_tree(&*disk, &dir.join("store"), &copy);
    let journal = disk.open(&copy.join("0.jnl"), OpenMode::ReadWrite).unwrap();
    // Fewer zeros at the end, because the tests copy the files often.
    journal.set_len(4096).unwrap();
    copy
}

fn keys(store: &FjallKv) -> String {
    let pairs = scanned(store, &KeyRange::all());
    pairs.iter().map(|(key, _)| String::from_utf8_lossy(key)).collect()
}

/// A copy in which one bit pattern of the journal is inverted.
fn damage(disk: &dyn Disk, from: &Path, at: u64) -> PathBuf {
    let to = from.with_extension(at.to_string());
    copy_tree(disk, from, &to);
    let file = disk.open(&to.join("0.jnl"), OpenMode::ReadWrite).unwrap();
    let mut byte = [0];
    file.read_at(&mut byte, at).unwrap();
    file.write_at(&[!byte[0]], at).unwrap();
    to
}

#[test]
fn what_was_not_synced_goes_at_open_whatever_it_holds() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Env::production(1).unwrap().disk;
    let copy = left_behind(dir.path());
    let synced = Synced::load(&*disk, &copy).unwrap().bytes();
    for at in [0, 1, 20, 100] {
        let copy = damage(&*disk, &copy, synced + at);
        let store = open(&copy).unwrap();
        assert_eq!(keys(&store), "abc", "byte {at}");
        put(&store, "g");
        store.persist().unwrap();
        drop(store);
        assert_eq!(keys(&open(&copy).unwrap()), "abcg", "byte {at}");
    }
}

#[test]
fn damage_before_the_last_sync_is_refused_again_and_again() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Env::production(1).unwrap().disk;
    let copy = left_behind(dir.path());
    for at in 0..Synced::load(&*disk, &copy).unwrap().bytes() {
        let copy = damage(&*disk, &copy, at);
        for _ in 0..2 {
            let refused = open(&copy);
            assert!(
                matches!(refused, Err(KvError::Journal { .. })),
                "byte {at}: {refused:?}"
            );
        }
    }
}

/// The key that each round overwrites.
const ROUND: &[u8] = b"round";

/// Fifty pairs with the numbers from `50 × round` on: larger than the buffers on the way to the file.
fn write_round(store: &FjallKv, round: u32) {
    let mut batch = KvBatch::new();
    batch.put(*b"round", round.to_be_bytes().to_vec());
    for key in 0..50u32 {
        batch.put((round * 50 + key).to_be_bytes(), vec![1; 4096]);
    }
    store.commit(&batch).unwrap();
}

/// How many rounds there are; there must be no gap and no part of one.
fn rounds(store: &FjallKv) -> usize {
    let mut found = scanned(store, &KeyRange::all());
    let last = found.iter().position(|(key, _)| key[..] == *ROUND);
    let last = last.map(|at| u32::from_be_bytes(found.remove(at).1[..].try_into().unwrap()));
    let numbers = found
        .iter()
        .map(|(key, _)| u32::from_be_bytes(key[..4].try_into().unwrap()));
    assert!(numbers.eq(0..found.len() as u32), "the first batches and no others");
    assert!(found.len().is_multiple_of(50), "{}", found.len());
    let rounds = found.len() / 50;
    assert_eq!(
        last.map_or(0, |last| last as usize + 1),
        rounds,
        "the last value of a key goes with its batch"
    );
    rounds
}

#[test]
fn a_journal_that_is_cut_behind_newer_tables_leaves_the_first_batches_and_no_gap() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    write_round(&store, 0);
    store.persist().unwrap();
    (1..600).for_each(|round| write_round(&store, round));
    drop(store);
    let store = open(dir.path()).unwrap();
    let found = rounds(&store);
    assert!(found > 1, "tables were written since");
    write_round(&store, found as u32);
    store.persist().unwrap();
    drop(store);
    assert_eq!(rounds(&open(dir.path()).unwrap()), found + 1);
}

#[test]
fn a_sync_beside_writers_ends_with_a_whole_batch() {
    let (env, dir) = (Env::production(1).unwrap(), tempfile::tempdir().unwrap());
    let mut written = 0;
    for _ in 0..3 {
        let store = open(dir.path()).unwrap();
        assert!(rounds(&store) >= written);
        let from = rounds(&store);
        let (done, ended) = std::sync::mpsc::sync_channel(1);
        let writer = store.clone();
        env.spawn.compute(Box::new(move || {
            (from..from + 100).for_each(|round| write_round(&writer, round as u32));
            drop(writer);
            done.send(()).unwrap();
        }));
        while ended.try_recv() == Err(TryRecvError::Empty) {
            let before = rounds(&store);
            store.persist().unwrap();
            written = before;
        }
        assert_eq!(rounds(&store), from + 100, "the writer went through");
    }
    assert!(rounds(&open(dir.path()).unwrap()) >= written);
}

#[test]
fn the_journal_does_not_grow_with_what_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
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
