//! What an open refuses.

use covey_store::kv::KvBatch;

use super::*;
use crate::answers::{answers, assert_same};
use crate::fixture::*;
use crate::keys::Kind;
use crate::random_log::random_log;

fn open(replica: &Replica) -> Result<OpenReport, ShardStoreError> {
    let (kv, dir) = (Arc::clone(&replica.kv.store), replica.folder());
    ShardStore::open(&replica.env, kv, &dir, replica.options.clone()).map(|(_, report)| report)
}

#[test]
fn a_lost_folder_of_vectors_is_refused_unless_nothing_was_applied() {
    let mut replica = Replica::new();
    let dir = replica.folder();
    replica.env.disk.remove_dir_all(&dir).unwrap();
    assert!(!open(&replica).unwrap().created);
    replica.put(post(1, 1, 1));
    replica.store.checkpoint().unwrap();
    replica.env.disk.remove_dir_all(&dir).unwrap();
    let refused = open(&replica);
    assert!(
        matches!(refused, Err(ShardStoreError::Partition(PartitionError::Damaged { .. }))),
        "{refused:?}"
    );
}

#[test]
fn a_record_that_does_not_decode_is_refused_with_its_kind_and_key() {
    let mut replica = Replica::new();
    replica.put(post(1, 1, 1));
    let state = replica.view().db.keys.of_post(Kind::PostState, key(1, 1));
    for damaged in [&[1, 0, 7][..], &[2, 0], &[]] {
        let mut batch = KvBatch::new();
        batch.put(state.clone(), damaged);
        replica.kv.store.commit(&batch).unwrap();
        match open(&replica) {
            Err(ShardStoreError::Record { kind, key, .. }) => assert_eq!((kind, &key), ("post state", &state)),
            other => panic!("{damaged:?}: {other:?}"),
        }
    }
}

#[test]
fn with_and_without_helpers_the_same_replica_opens() {
    for seed in 0..8 {
        let mut replica = Replica::with(options(1, HALF));
        for entry in random_log(seed, 250) {
            replica.store.apply(std::slice::from_ref(&entry)).unwrap();
        }
        let report = |mut report: OpenReport| {
            (report.records_time, report.vectors_time, report.pending_time) = Default::default();
            report
        };
        let open = |many| {
            let (kv, dir) = (Arc::clone(&replica.kv.store), replica.folder());
            ShardStore::open_with(&replica.env, kv, &dir, replica.options.clone(), many).unwrap()
        };
        let (alone, found_alone) = open(u64::MAX);
        let (helped, found_helped) = open(0);
        assert!(found_alone.records > 0, "seed {seed}");
        assert_eq!(report(found_alone), report(found_helped), "seed {seed}");
        assert_same(&answers(&alone), &answers(&helped), &format!("seed {seed}"));
    }
}

#[test]
fn damage_is_refused_with_helpers_too_and_nothing_holds_the_store_afterwards() {
    let mut replica = Replica::new();
    for author in 1..=200 {
        replica.put(post(author, author, 1));
    }
    let mut batch = KvBatch::new();
    for author in [3, 150] {
        let state = replica.view().db.keys.of_post(Kind::PostState, key(author, author));
        batch.put(state, [1, 0, 7]);
    }
    replica.kv.store.commit(&batch).unwrap();
    let (before, dir) = (Arc::strong_count(&replica.kv.store), replica.folder());
    for many in [0, u64::MAX] {
        let kv = Arc::clone(&replica.kv.store);
        let refused = ShardStore::open_with(&replica.env, kv, &dir, replica.options.clone(), many);
        assert!(
            matches!(refused, Err(ShardStoreError::Record { .. })),
            "{:?}",
            refused.err()
        );
        assert_eq!(Arc::strong_count(&replica.kv.store), before);
    }
}
