//! What every key-value store must do.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

use super::Seeded;
use crate::kv::{KeyRange, KvBatch, KvError, KvRead, KvStore, MAX_KEY};

type Pairs = BTreeMap<Vec<u8>, Vec<u8>>;

/// The pairs of a range.
///
/// # Panics
/// If the scan fails.
#[must_use]
pub fn scanned(store: &dyn KvRead, range: &KeyRange) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut pairs = Vec::new();
    let visit = &mut |key: &[u8], value: &[u8]| {
        pairs.push((key.to_vec(), value.to_vec()));
        ControlFlow::Continue(())
    };
    store.scan(range, visit).expect("a scan succeeds");
    pairs
}

/// Reads, scans, snapshots, batches and limits. `open` opens the store anew, empty at first; the one before has been
/// dropped.
pub fn kv_rules(open: &mut dyn FnMut() -> Box<dyn KvStore>) {
    let store = open();
    assert_eq!(store.get(b"a").expect("a get succeeds"), None);
    let mut batch = KvBatch::new();
    batch
        .put("a", "1")
        .put("ab", "2")
        .put("b", "3")
        .put([0xff, 0xff], "4")
        .delete("nothing")
        .put("a", "5");
    store.commit(&batch).expect("a batch commits");
    assert_eq!(
        store.get(b"a").expect("a get succeeds").as_deref(),
        Some(&b"5"[..]),
        "the last change of a key stands"
    );
    ranges(&*store);
    snapshots(&*store);
    limits(&*store);
    store.persist().expect("a store persists");
    let before = scanned(&*store, &KeyRange::all());
    drop(store);
    let store = open();
    assert_eq!(
        scanned(&*store, &KeyRange::all()),
        before,
        "what was persisted is there after reopening"
    );
    let usage = store.usage().expect("usage is known");
    assert!(usage.disk_bytes > 0 && usage.approximate_len > 0, "{usage:?}");
}

fn keys(store: &dyn KvRead, range: &KeyRange) -> Vec<Vec<u8>> {
    scanned(store, range).into_iter().map(|(key, _)| key).collect()
}

fn ranges(store: &dyn KvStore) {
    let all: [&[u8]; 4] = [b"a", b"ab", b"b", &[0xff, 0xff]];
    assert_eq!(keys(store, &KeyRange::all()), all);
    assert_eq!(keys(store, &KeyRange::prefix(b"a")), [&b"a"[..], b"ab"]);
    assert_eq!(keys(store, &KeyRange::prefix(&[0xff])), [[0xff, 0xff]]);
    assert_eq!(keys(store, &KeyRange::prefix(b"")), all);
    assert_eq!(keys(store, &KeyRange::between(b"a", b"b")), [&b"a"[..], b"ab"]);
    assert_eq!(
        keys(store, &KeyRange::between(b"b", b"a")).len(),
        0,
        "an inverted range is empty"
    );
    let after = KeyRange::new(Bound::Excluded(b"a".to_vec()), Bound::Included(b"b".to_vec()));
    assert_eq!(keys(store, &after), [&b"ab"[..], b"b"]);
    let same = KeyRange::new(Bound::Excluded(b"a".to_vec()), Bound::Excluded(b"a".to_vec()));
    assert_eq!(keys(store, &same).len(), 0);

    let mut visited = 0;
    let stop_at_two = &mut |_: &[u8], _: &[u8]| {
        visited += 1;
        if visited == 2 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    store.scan(&KeyRange::all(), stop_at_two).expect("a scan succeeds");
    assert_eq!(visited, 2, "a scan stops when told");
}

fn snapshots(store: &dyn KvStore) {
    let snapshot = store.snapshot();
    let mut batch = KvBatch::new();
    batch.put("a", "new").delete("b").put("c", "new");
    let commit_meanwhile = &mut |_: &[u8], _: &[u8]| {
        store.commit(&batch).expect("a visitor may commit");
        ControlFlow::Continue(())
    };
    store.scan(&KeyRange::all(), commit_meanwhile).expect("a scan succeeds");
    assert_eq!(keys(&*snapshot, &KeyRange::all()).len(), 4);
    assert_eq!(snapshot.get(b"a").expect("a get succeeds").as_deref(), Some(&b"5"[..]));
    assert_eq!(snapshot.get(b"c").expect("a get succeeds"), None);
    assert_eq!(store.get(b"a").expect("a get succeeds").as_deref(), Some(&b"new"[..]));
    assert_eq!(store.get(b"b").expect("a get succeeds"), None);
}

fn limits(store: &dyn KvStore) {
    let before = scanned(store, &KeyRange::all());
    for key in [Vec::new(), vec![1; MAX_KEY + 1]] {
        let mut batch = KvBatch::new();
        batch.put("fine", "x").put(key, "x");
        assert!(matches!(store.commit(&batch), Err(KvError::Limit(_))));
    }
    store.commit(&KvBatch::new()).expect("an empty batch is fine");
    let mut batch = KvBatch::new();
    batch.put(vec![1; MAX_KEY], Vec::new());
    store
        .commit(&batch)
        .expect("the longest key and an empty value are fine");
    batch.delete(vec![1; MAX_KEY]);
    store.commit(&batch).expect("a delete commits");
    assert_eq!(
        scanned(store, &KeyRange::all()),
        before,
        "a refused batch changes nothing"
    );
}

/// Runs random batches, persists and reopenings: after every reopening the store holds the first batches in order, among
/// them all before the last persist. `open` may lose power before it opens.
pub fn kv_keeps_what_it_persisted(
    seed: u64,
    steps: u64,
    open: &mut dyn FnMut(Box<dyn KvStore>) -> Box<dyn KvStore>,
    first: Box<dyn KvStore>,
) {
    let mut random = Seeded::new(seed);
    let mut store = first;
    // The states since the last persist, that one included.
    let mut states = vec![Pairs::new()];
    for step in 0..steps {
        let mut batch = KvBatch::new();
        let mut state = states.last().cloned().unwrap_or_default();
        for _ in 0..random.below(6) {
            let key = format!("key {}", random.below(40)).into_bytes();
            if random.one_in(4) {
                state.remove(&key);
                batch.delete(key);
            } else {
                let value = vec![random.next() as u8; random.below(300) as usize];
                state.insert(key.clone(), value.clone());
                batch.put(key, value);
            }
        }
        store
            .commit(&batch)
            .unwrap_or_else(|error| panic!("seed {seed} step {step}: {error}"));
        states.push(state);
        if random.one_in(5) {
            store
                .persist()
                .unwrap_or_else(|error| panic!("seed {seed} step {step}: {error}"));
            states.drain(..states.len() - 1);
        }
        if random.one_in(15) {
            store = open(store);
            let found: Pairs = scanned(&*store, &KeyRange::all()).into_iter().collect();
            let kept = states.contains(&found);
            assert!(
                kept,
                "seed {seed} step {step}: not a prefix with all that was persisted: {found:?}"
            );
            states = vec![found];
        }
    }
}
