//! What is exported at an index is installed as the replica was at that index.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use covey_env::Env;
use covey_shared::ids::{LogIndex, NodeId, ReplicaId};
use covey_shared::members::ChangeKind;
use covey_shared::slots::SlotRange;
use covey_store::kv::{FjallKv, FjallOptions};

use super::*;
use crate::answers::{answers, assert_same};
use crate::fixture::{HALF, founder, members_entry};
use crate::random_log::random_log;
use crate::snapshot::fixture::*;
use crate::{ShardStore, replica_dir};

/// Records of rows that lie in tails only: those of the last file.
fn tail_rows(env: &Env, export: &ShardExport) -> usize {
    let kv = export
        .paths
        .iter()
        .filter(|path| file_name(path).unwrap().starts_with("kv-"));
    let (mut seen, mut in_tails) = (std::collections::BTreeSet::new(), 0);
    for (number, path) in kv.enumerate() {
        let pair = |key: &[u8], _: &[u8]| {
            assert!(seen.insert(key.to_vec()), "{key:02x?} twice");
            in_tails += usize::from(number > 0);
            Ok(())
        };
        crate::snapshot::kv_file::read(&*env.disk, path, SHARD, pair).unwrap();
    }
    in_tails
}

#[test]
fn an_installed_replica_answers_as_its_source_and_goes_on_like_it() {
    let (mut folders, mut tails, mut pending) = (0, 0, 0);
    for seed in 0..8 {
        let slots = if seed % 2 == 0 { SlotRange::ALL } else { HALF };
        let mut source = Source::of_slots(seed, 250, slots);
        source.run_to(60 + 20 * seed as usize);
        let (export, _files) = source.export();
        folders += export.manifest.folders.len();
        tails += tail_rows(&source.replica.env, &export);
        pending += source.replica.store.pending.len();
        assert_eq!(export.manifest.index, source.replica.store.applied().index);
        let node = Node::new();
        let mut store = node.take_over(&source.replica.env, &export);
        let what = format!("seed {seed}");
        assert_eq!(store.applied(), source.replica.store.applied(), "{what}");
        assert_same(&answers(&store), &answers(&source.replica.store), &what);
        source.run_to(source.log.len());
        let from = store.applied().index.0 as usize;
        store.apply(&source.log[from..]).unwrap();
        assert_same(
            &answers(&store),
            &answers(&source.replica.store),
            &format!("{what}, gone on"),
        );
        while store.maintainer().step().unwrap() != covey_embeddings::Step::Idle {}
        store.checkpoint().unwrap();
        drop(store);
        let (reopened, _) = node.open(slots);
        assert_same(
            &answers(&reopened),
            &answers(&source.replica.store),
            &format!("{what}, reopened"),
        );
    }
    assert!(
        folders > 8 && tails > 20 && pending > 20,
        "{folders} {tails} {pending}: next to nothing is tested"
    );
}

#[test]
fn an_export_is_exact_at_its_index_while_the_replica_goes_on_sealing_and_merging() {
    for seed in 100..112 {
        let source = RefCell::new(Source::new(seed, 300));
        source.borrow_mut().run_to(70);
        let (export, _files) = Source::export_meanwhile(&source);
        let mut source = source.into_inner();
        let index = export.manifest.index.0 as usize;
        assert!(
            (70..76).contains(&index) && source.applied() > 150,
            "seed {seed}: {index}, then {}",
            source.applied()
        );
        let node = Node::new();
        let mut store = node.take_over(&source.replica.env, &export);
        let truth = replayed(&source.log[..index], SlotRange::ALL);
        assert_same(
            &answers(&store),
            &answers(&truth.store),
            &format!("seed {seed} at {index}"),
        );
        source.run_to(source.log.len());
        store.apply(&source.log[index..]).unwrap();
        assert_same(
            &answers(&store),
            &answers(&source.replica.store),
            &format!("seed {seed}, gone on"),
        );
    }
}

#[test]
fn a_snapshot_of_a_snapshot_is_the_same_again() {
    let mut source = Source::on(Env::production(1).unwrap(), 5, 120, SlotRange::ALL);
    source.run_to(120);
    let (export, _files) = source.export();
    let (first, second) = (Node::on_disk(), Node::on_disk());
    let copied = first.take_over(&source.replica.env, &export);
    let dir = tempfile::tempdir().unwrap();
    let again = copied
        .view()
        .export(&first.env, &dir.path().join("export"), &|| false)
        .unwrap();
    let store = second.take_over(&first.env, &again);
    assert_same(&answers(&store), &answers(&source.replica.store), "the copy's copy");
    // And one that replaces what was there before.
    let store = second.take_over(&source.replica.env, &export);
    assert_same(
        &answers(&store),
        &answers(&source.replica.store),
        "in the place of a copy",
    );
}

#[test]
fn members_that_are_changing_come_with_the_snapshot_and_the_change_goes_on_there() {
    let mut source = Source::new(8, 60);
    source.run_to(60);
    let new = ReplicaId::new(2, SHARD, NodeId(4));
    let replace = ChangeKind::Replace {
        promote: vec![new],
        demote: vec![founder(3)],
    };
    let changes = [
        members_entry(61, 1, ChangeKind::AddLearner(new)),
        members_entry(62, 2, replace),
    ];
    source.replica.store.apply(&changes).unwrap();
    let (export, _files) = source.export();
    let descriptor = &export.manifest.descriptor;
    assert!(descriptor.members.is_joint() && descriptor.members.learners_next == [founder(3)]);
    let node = Node::new();
    let mut store = node.take_over(&source.replica.env, &export);
    assert_eq!(&store.applied().descriptor(SHARD), descriptor);
    store.apply(&[members_entry(63, 3, ChangeKind::LeaveJoint)]).unwrap();
    assert_eq!(store.applied().members.learners, [founder(3)]);
    assert_eq!(store.applied().members.voters, [founder(1), founder(2), new]);
}

#[test]
fn exports_on_the_production_store_are_exact_while_a_thread_applies_and_another_merges() {
    let env = Env::production(4).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let options = small_options(1, SlotRange::ALL);
    let kv = FjallKv::open(Arc::clone(&env.disk), &dir.path().join("kv"), &FjallOptions::default()).unwrap();
    let folder = replica_dir(dir.path(), SHARD, options.generation);
    let (mut store, _) = ShardStore::open(&env, Arc::new(kv), &folder, options).unwrap();
    let (view, maintainer, log) = (store.view(), store.maintainer(), Arc::new(random_log(9, 1500)));
    let done = Arc::new(AtomicBool::new(false));
    let (merging, merged) = (Arc::clone(&done), std::sync::mpsc::sync_channel(1));
    env.spawn.compute(Box::new(move || {
        while !merging.load(Ordering::Acquire) {
            maintainer.step().unwrap();
        }
        merged.0.send(()).unwrap();
    }));
    let (applying, entries, applied) = (Arc::clone(&done), Arc::clone(&log), std::sync::mpsc::sync_channel(1));
    env.spawn.compute(Box::new(move || {
        for (number, entry) in entries.iter().enumerate() {
            store.apply(std::slice::from_ref(entry)).unwrap();
            if number % 7 == 0 {
                store.checkpoint().unwrap();
            }
        }
        applying.store(true, Ordering::Release);
        applied.0.send(store).unwrap();
    }));
    let mut exports = Vec::new();
    while exports.len() < 3 || !done.load(Ordering::Acquire) {
        let dir = tempfile::tempdir().unwrap();
        exports.push((view.export(&env, &dir.path().join("export"), &|| false).unwrap(), dir));
        if exports.len() > 12 {
            exports.remove(0);
        }
    }
    let (store, ()) = (applied.1.recv().unwrap(), merged.1.recv().unwrap());
    assert_eq!(store.applied().index, LogIndex(1500));
    for (export, _) in &exports {
        let index = export.manifest.index.0 as usize;
        let node = Node::new();
        let copy = node.take_over(&env, export);
        let truth = replayed(&log[..index], SlotRange::ALL);
        assert_same(&answers(&copy), &answers(&truth.store), &format!("index {index}"));
    }
}

#[test]
fn an_export_stops_when_it_is_told_to_and_what_was_swept_is_not_exported() {
    let mut source = Source::new(6, 100);
    source.run_to(100);
    let (view, env) = (source.replica.view(), source.replica.env.clone());
    let dir = tempfile::tempdir().unwrap();
    let calls = std::cell::Cell::new(0);
    let count = |limit: usize| {
        calls.set(0);
        let stop = || {
            calls.set(calls.get() + 1);
            calls.get() > limit
        };
        view.export(&env, &dir.path().join("export"), &stop)
    };
    count(usize::MAX).unwrap();
    let all = calls.get();
    assert!(all > 300);
    for limit in (0..all).step_by(all / 20) {
        assert!(
            matches!(count(limit), Err(ShardStoreError::Stopped)),
            "after {limit} of {all}"
        );
    }
    assert!(matches!(count(all - 1), Err(ShardStoreError::Stopped)));
    let mut batch = covey_store::kv::KvBatch::new();
    batch.delete(view.db.keys.applied());
    source.replica.kv.store.commit(&batch).unwrap();
    let refused = count(usize::MAX);
    assert!(
        matches!(
            refused,
            Err(ShardStoreError::Snapshot(SnapshotError::Swept { shard: SHARD }))
        ),
        "{refused:?}"
    );
}
