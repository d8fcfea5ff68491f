//! The record of a replica's incarnations.

use covey_env::Env;

use super::*;
use crate::fixture::TestKv;

const SHARD: ShardId = ShardId(7);

fn kv() -> TestKv {
    TestKv::new(&Env::production(1).unwrap())
}

fn load(kv: &TestKv) -> Incarnation {
    Incarnation::load(&*kv.store, SHARD).unwrap()
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
    let kv = kv();
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
