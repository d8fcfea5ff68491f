//! A sweep removes all of what is retired, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::answers::{answers, assert_same};
use crate::fixture::{HALF, options};
use crate::keys::GENERATION;
use crate::random_log::random_log;
use crate::snapshot::fixture::*;
use crate::{Applied, ShardStore, ShardStoreError, replica_dir};

const OTHER_HALF: SlotRange = SlotRange {
    start: 8192,
    end: 16384,
};

fn dump(node: &Node) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut pairs = BTreeMap::new();
    let mut visit = |key: &[u8], value: &[u8]| {
        pairs.insert(key.to_vec(), value.to_vec());
        ControlFlow::Continue(())
    };
    node.kv.scan(&KeyRange::all(), &mut visit).unwrap();
    pairs
}

fn folders(node: &Node) -> Vec<String> {
    let entries = node.env.disk.list(&node.root).unwrap();
    let names = entries
        .iter()
        .map(|entry| entry.path.file_name().unwrap().to_str().unwrap().to_owned());
    names.filter(|name| name.starts_with("shard-")).collect()
}

/// A replica of another shard, in the same generation, on the same node.
fn neighbour(node: &Node) -> ShardStore {
    let mut options = options(2, OTHER_HALF);
    options.descriptor.shard = ShardId(8);
    let dir = replica_dir(&node.root, ShardId(8), options.generation);
    let (mut store, _) = ShardStore::open(&node.env, Arc::clone(&node.kv), &dir, options).unwrap();
    store.apply(&random_log(3, 200)).unwrap();
    store.checkpoint().unwrap();
    store
}

/// By hand.
fn is_of_shard_7(key: &[u8]) -> bool {
    let slot = u16::from_be_bytes(key[4..6].try_into().unwrap());
    slot < 8192 || slot == 0xFFFF && key[7..15] == 7_u64.to_be_bytes()
}

/// Generation 1 that was replaced by 3, and one that was begun and given up; with a neighbour in 2.
fn replaced() -> (Node, ShardStore, ShardStore) {
    let mut source = Source::of_slots(1, 200, HALF);
    source.run_to(200);
    let node = Node::new();
    let neighbour = neighbour(&node);
    let (mut old, _) = node.open(HALF);
    old.apply(&random_log(2, 200)).unwrap();
    old.checkpoint().unwrap();
    let (export, _files) = source.export();
    node.stage(&source.replica.env, &export);
    let given_up = Incarnation::begin(&*node.kv, SHARD).unwrap();
    drop(node.install(&export.manifest, given_up, &|| false).unwrap());
    let store = node.take_over(&source.replica.env, &export);
    assert_same(&answers(&store), &answers(&source.replica.store), "installed");
    (node, store, neighbour)
}

#[test]
fn all_of_the_retired_generations_goes_and_nothing_of_others() {
    let (node, store, neighbour) = replaced();
    assert_eq!(
        folders(&node),
        ["shard-0007.1", "shard-0007.2", "shard-0007.3", "shard-0008.2"]
    );
    let (before, here, there) = (dump(&node), answers(&store), answers(&neighbour));
    node.sweep(HALF).unwrap();
    assert_eq!(folders(&node), ["shard-0007.3", "shard-0008.2"]);
    let known = Incarnation::load(&*node.kv, SHARD).unwrap();
    assert_eq!(
        (known.generation, known.retired, known.log_behind),
        (Generation(3), vec![], true)
    );
    // Whatever is not of shard 7 in generation 1 or 2 is left.
    let is_retired = |key: &[u8]| {
        let generation = u32::from_be_bytes(key[..GENERATION].try_into().unwrap());
        (generation == 1 || generation == 2) && is_of_shard_7(key)
    };
    let mut left = before.clone();
    left.retain(|key, _| !is_retired(key));
    let record = Keys::incarnation(SHARD);
    let mut after = dump(&node);
    assert!(before.len() > left.len() + 300, "next to nothing was removed");
    assert_ne!(left.remove(&record), after.remove(&record));
    assert_eq!(after, left);
    assert_same(&answers(&store), &here, "this shard");
    assert_same(&answers(&neighbour), &there, "the other shard");
    drop(store);
    assert_same(&answers(&node.open(HALF).0), &here, "this shard, reopened");
    node.sweep(HALF).unwrap();
}

#[test]
fn nothing_is_left_of_a_replica_that_left_its_node_and_it_can_come_back() {
    let (node, store, neighbour) = replaced();
    let there = answers(&neighbour);
    drop(store);
    Incarnation::retire(&*node.kv, SHARD).unwrap();
    node.sweep(HALF).unwrap();
    assert_eq!(folders(&node), ["shard-0008.2"]);
    let left: Vec<Vec<u8>> = dump(&node).into_keys().filter(|key| is_of_shard_7(key)).collect();
    assert_eq!(left, [Keys::incarnation(SHARD)]);
    assert_same(&answers(&neighbour), &there, "the other shard");
    let mut source = Source::of_slots(4, 100, HALF);
    source.run_to(100);
    let (export, _files) = source.export();
    let store = node.take_over(&source.replica.env, &export);
    assert_same(&answers(&store), &answers(&source.replica.store), "back again");
    assert_eq!(folders(&node), ["shard-0007.4", "shard-0008.2"]);
    // Nothing of what was there before.
    assert_eq!(Applied::of(&*node.kv, SHARD, Generation(3)).unwrap(), None);
    node.sweep(HALF).unwrap();
    assert_same(&answers(&store), &answers(&source.replica.store), "swept");
}

#[test]
fn what_was_given_up_and_swept_is_never_picked_again() {
    let node = Node::new();
    for generation in 2..10 {
        assert_eq!(Incarnation::begin(&*node.kv, SHARD).unwrap(), Generation(generation));
        node.sweep(HALF).unwrap();
    }
}

#[test]
fn a_sweep_that_was_stopped_goes_on_later() {
    let (node, store, _) = replaced();
    let here = answers(&store);
    // A full batch is where it looks.
    let mut batch = KvBatch::new();
    let keys = Keys {
        generation: Generation(1),
        shard: SHARD,
    };
    for n in 0..BATCH as u64 * 3 {
        let mut key = keys.slot_start(17);
        key.extend_from_slice(&n.to_be_bytes());
        batch.put(key, b"x");
    }
    node.kv.commit(&batch).unwrap();
    let dir_of = |generation| node.dir_of(generation);
    let calls = std::cell::Cell::new(0);
    let stop = || {
        calls.set(calls.get() + 1);
        calls.get() == 2
    };
    let before = dump(&node).len();
    let stopped = Incarnation::sweep(&node.env, &*node.kv, SHARD, HALF, &dir_of, &stop);
    assert!(matches!(stopped, Err(ShardStoreError::Stopped)), "{stopped:?}");
    // The one that was given up, and one batch.
    assert!((BATCH..2 * BATCH).contains(&(before - dump(&node).len())));
    assert_eq!(Incarnation::load(&*node.kv, SHARD).unwrap().retired, [Generation(1)]);
    node.sweep(HALF).unwrap();
    assert!(Incarnation::load(&*node.kv, SHARD).unwrap().retired.is_empty());
    assert_eq!(folders(&node), ["shard-0007.3", "shard-0008.2"]);
    assert!(!dump(&node).keys().any(|key| key.starts_with(&[0, 0, 0, 1])));
    assert_same(&answers(&store), &here, "after the second");
}
