//! The applied record: its bytes, those of earlier releases, and what can be read of a damaged replica.

use covey_store::kv::KvBatch;

use super::*;
use crate::ShardStore;
use crate::fixture::{Replica, founder, post};

const V1: [&str; 7] = [
    "0100",
    "0100000000000000 0200000000000000",
    "0200000000000000 0200070000000000 0100070000000000",
    "0100000000000000 0300070000000000",
    "0500000000000000 0600000000000000",
    "0000 0040",
    "0700000000000000 0800000000000000",
];

const V2: [&str; 9] = [
    "0200",
    "0100000000000000 0200000000000000",
    "0200000000000000 0100070000000000 0200070000000000",
    "0100000000000000 0200070000000000",
    "0100000000000000 0300070000000000",
    "0100000000000000 0200070000000000",
    "0500000000000000 0600000000000000",
    "0000 0040",
    "0700000000000000 0800000000000000",
];

fn bytes(golden: &[&str]) -> Vec<u8> {
    let hex = golden.concat().replace(' ', "");
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

fn applied() -> Applied {
    Applied {
        index: LogIndex(1),
        term: Term(2),
        members: Members {
            learners: vec![founder(3)],
            ..Members::of([founder(1), founder(2)])
        },
        epoch: ShardEpoch {
            range_ver: 5,
            conf_ver: 6,
        },
        slots: SlotRange::ALL,
        log_time: UnixMillis(7),
        trimmed_before: UnixMillis(8),
    }
}

#[test]
fn the_applied_record_has_these_bytes() {
    let mut applied = applied();
    applied.members.outgoing = vec![founder(2)];
    applied.members.learners_next = vec![founder(2)];
    assert_eq!(applied.encode().unwrap(), bytes(&V2));
    assert_eq!(read(&bytes(&V2)).unwrap(), applied);
}

#[test]
fn applied_of_version_1_is_read_whatever_the_order_of_its_voters() {
    assert_eq!(read(&bytes(&V1)).unwrap(), applied());
}

#[test]
fn shorter_longer_and_newer_records_are_refused() {
    for sound in [bytes(&V1), bytes(&V2)] {
        for len in 0..sound.len() {
            assert!(read(&sound[..len]).is_err(), "cut at {len}");
        }
        let longer = [&sound[..], &[0]].concat();
        assert!(matches!(read(&longer), Err(CodecError::Trailing { extra: 1, .. })));
    }
    let newer = [&[3, 0], &bytes(&V2)[2..]].concat();
    let refused = read(&newer);
    assert!(
        matches!(
            refused,
            Err(CodecError::Version {
                found: 3,
                newest: 2,
                ..
            })
        ),
        "{refused:?}"
    );
}

#[test]
fn a_replica_of_an_earlier_release_opens_and_writes_the_newer_record() {
    let mut replica = Replica::new();
    replica.put(post(1, 1, 1));
    let kv = replica.kv.store.clone();
    let mut batch = KvBatch::new();
    batch.put(replica.view().db.keys.applied(), bytes(&V1));
    kv.commit(&batch).unwrap();
    let (mut replica, report) = replica.reopen();
    assert_eq!((replica.store.applied(), report.created), (&applied(), false));
    replica.put(post(1, 2, 1));
    let stored = kv.get(&replica.view().db.keys.applied()).unwrap().unwrap();
    assert_eq!(stored[..2], [2, 0]);
    assert_eq!(replica.reopen().0.store.applied().members, applied().members);
}

#[test]
fn of_a_damaged_replica_the_applied_record_is_read_all_the_same() {
    let mut replica = Replica::new();
    replica.put(post(1, 1, 1));
    let (kv, keys, folder) = (replica.kv.store.clone(), replica.view().db.keys, replica.folder());
    replica.env.disk.remove_dir_all(&folder).unwrap();
    let opened = ShardStore::open(&replica.env, kv.clone(), &folder, replica.options.clone());
    assert!(opened.is_err_and(|error| error.is_damage()));
    let found = Applied::of(&*kv, keys.shard, keys.generation).unwrap().unwrap();
    assert_eq!(&found, replica.store.applied());
    assert_eq!(found.descriptor(keys.shard), replica.options.descriptor);
    assert_eq!(Applied::of(&*kv, keys.shard, Generation(2)).unwrap(), None);
    let mut batch = KvBatch::new();
    batch.put(keys.applied(), &[2, 0, 7][..]);
    kv.commit(&batch).unwrap();
    let refused = Applied::of(&*kv, keys.shard, keys.generation);
    assert!(refused.is_err_and(|error| error.is_damage()));
}
