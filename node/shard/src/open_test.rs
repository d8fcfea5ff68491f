//! What an open refuses.

use covey_store::kv::KvBatch;

use super::*;
use crate::fixture::*;

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
