//! The record of a replica's incarnations.

use covey_env::Env;

use super::*;
use crate::fixture::{Replica, TestKv};

const SHARD: ShardId = ShardId(7);

fn kv() -> TestKv {
    TestKv::new(&Env::production(1).unwrap())
}

fn load(kv: &TestKv) -> Incarnation {
    Incarnation::load(&*kv.store, SHARD).unwrap()
}

fn all(kv: &TestKv) -> Vec<u64> {
    let all = Incarnation::all(&*kv.store).unwrap();
    all.into_iter().map(|shard| shard.0).collect()
}

fn incarnation(generation: u32, retired: &[u32], log_behind: bool, newest: u32) -> Incarnation {
    Incarnation {
        generation: Generation(generation),
        retired: retired.iter().copied().map(Generation).collect(),
        log_behind,
        newest: Generation(newest),
    }
}

#[test]
fn an_incarnation_has_these_bytes() {
    let kv = kv();
    incarnation(5, &[4, 6], true, 8).store(&*kv.store, SHARD).unwrap();
    let bytes = kv.store.get(&Keys::incarnation(SHARD)).unwrap().unwrap();
    assert_eq!(
        &bytes[..],
        b"\x01\0\x05\0\0\0\x02\0\0\0\0\0\0\0\x04\0\0\0\x06\0\0\0\x01\x08\0\0\0"
    );
    assert_eq!(load(&kv), incarnation(5, &[4, 6], true, 8));
}

#[test]
fn a_replica_begins_as_generation_1_and_each_install_gets_one_that_was_never_used() {
    let kv = Replica::new().kv;
    assert_eq!(load(&kv), incarnation(1, &[], false, 1));
    let begin = || Incarnation::begin(&*kv.store, SHARD).unwrap().0;
    assert_eq!((begin(), begin()), (2, 3));
    assert_eq!(load(&kv), incarnation(1, &[2, 3], false, 3));
    Incarnation::switch(&*kv.store, SHARD, Generation(3)).unwrap();
    assert_eq!(load(&kv), incarnation(3, &[2, 1], true, 3));
    assert_eq!(begin(), 4);
    Incarnation::log_reset(&*kv.store, SHARD).unwrap();
    assert_eq!(load(&kv), incarnation(3, &[2, 1, 4], false, 4));
    assert_eq!(
        Incarnation::load(&*kv.store, ShardId(8)).unwrap(),
        incarnation(1, &[], false, 1)
    );
}

#[test]
fn where_a_shard_comes_for_the_first_time_nothing_is_current_before_its_install() {
    let kv = kv();
    let begin = || Incarnation::begin(&*kv.store, SHARD).unwrap();
    assert_eq!((begin(), begin()), (Generation(2), Generation(3)));
    assert_eq!(load(&kv), incarnation(0, &[2, 3], false, 3));
    assert_eq!(all(&kv), []);
    Incarnation::switch(&*kv.store, SHARD, Generation(3)).unwrap();
    assert_eq!(load(&kv), incarnation(3, &[2], true, 3));
    assert_eq!(all(&kv), [7]);
}

#[test]
fn a_replica_that_left_its_node_is_none_until_it_is_installed_again_in_a_generation_of_its_own() {
    let kv = Replica::new().kv;
    let given_up = Incarnation::begin(&*kv.store, SHARD).unwrap();
    let installed = Incarnation::begin(&*kv.store, SHARD).unwrap();
    assert_eq!((given_up, installed), (Generation(2), Generation(3)));
    Incarnation::switch(&*kv.store, SHARD, installed).unwrap();
    for _ in 0..2 {
        Incarnation::retire(&*kv.store, SHARD).unwrap();
        assert_eq!(load(&kv), incarnation(0, &[2, 1, 3], false, 3));
    }
    let back = Incarnation::begin(&*kv.store, SHARD).unwrap();
    Incarnation::switch(&*kv.store, SHARD, back).unwrap();
    assert_eq!(load(&kv), incarnation(4, &[2, 1, 3], true, 4));
}

#[test]
fn a_founding_replica_that_leaves_before_any_install_is_remembered_as_gone() {
    let kv = Replica::new().kv;
    assert_eq!(all(&kv), []);
    Incarnation::retire(&*kv.store, SHARD).unwrap();
    assert_eq!(load(&kv), incarnation(0, &[1], false, 1));
    assert_eq!(all(&kv), []);
}

#[test]
fn all_names_the_shards_with_a_current_replica_in_order() {
    let kv = kv();
    assert_eq!(all(&kv), []);
    for (shard, generation) in [(300, 2), (2, 1), (9, 0), (70, 5)] {
        incarnation(generation, &[1], false, 5)
            .store(&*kv.store, ShardId(shard))
            .unwrap();
    }
    assert_eq!(all(&kv), [2, 70, 300]);
    let mut batch = KvBatch::new();
    batch.put(Keys::incarnation(ShardId(4)), &[1, 0, 7][..]);
    kv.store.commit(&batch).unwrap();
    let refused = Incarnation::all(&*kv.store);
    assert!(
        matches!(refused, Err(ShardStoreError::Record { shard: ShardId(4), .. })),
        "{refused:?}"
    );
}

#[test]
fn installs_that_are_given_up_without_a_sweep_come_to_an_end() {
    let kv = kv();
    for _ in 0..MAX_RETIRED {
        Incarnation::begin(&*kv.store, SHARD).unwrap();
    }
    let refused = Incarnation::begin(&*kv.store, SHARD);
    assert!(
        matches!(
            refused,
            Err(ShardStoreError::Unswept {
                shard: SHARD,
                retired: MAX_RETIRED
            })
        ),
        "{refused:?}"
    );
}

#[test]
#[should_panic(expected = "was not begun")]
fn only_what_was_begun_becomes_current() {
    let _ = Incarnation::switch(&*kv().store, SHARD, Generation(2));
}

#[test]
fn a_damaged_record_is_refused() {
    let kv = kv();
    let mut batch = KvBatch::new();
    batch.put(Keys::incarnation(SHARD), &[1, 0, 7][..]);
    kv.store.commit(&batch).unwrap();
    let refused = Incarnation::load(&*kv.store, SHARD);
    assert!(
        matches!(refused, Err(ShardStoreError::Record { kind: "shard", .. })),
        "{refused:?}"
    );
}

#[test]
fn folders_of_generations_have_these_names() {
    let dir = |shard, generation| replica_dir(Path::new("/n"), ShardId(shard), Generation(generation));
    assert_eq!(dir(7, 1), Path::new("/n/shard-0007.1"));
    assert_eq!(dir(12345, 12), Path::new("/n/shard-12345.12"));
}
