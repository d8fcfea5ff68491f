//! Random logs: however entries are grouped, wherever a replica is closed, loses power or replays, the state is the same.

use covey_shared::ids::*;
use covey_shared::model::{F16Vector, Post};
use covey_shared::slots::SlotRange;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::answers::{answers, assert_same};
use crate::fixture::*;
use crate::random_log::random_log;
use crate::*;

fn applied_one_by_one(log: &[EntryToApply], slots: SlotRange) -> Replica {
    let mut replica = Replica::with(options(1, slots));
    for entry in log {
        replica.store.apply(std::slice::from_ref(entry)).unwrap();
    }
    replica
}

/// Applies from its applied index on, in random groups, with checkpoints, reopens and replays in between.
fn applied_at_random(log: &[EntryToApply], slots: SlotRange, rng: &mut SmallRng) -> Replica {
    let mut replica = Replica::with(options(9, slots));
    let mut behind: Option<TestKv> = None;
    while (replica.store.applied().index.0 as usize) < log.len() {
        // A group may begin with entries that were applied before.
        let from = (replica.store.applied().index.0 as usize).saturating_sub(rng.random_range(0..3));
        let to = (from + rng.random_range(3..20)).min(log.len());
        replica.store.apply(&log[from..to]).unwrap();
        match rng.random_range(0..10) {
            0 => {
                let written = replica.store.begin_checkpoint();
                replica.store.apply(&log[to..(to + 2).min(log.len())]).unwrap();
                replica.store.finish_checkpoint(written.run().unwrap()).unwrap();
                replica.kv.store.persist().unwrap();
            }
            1 => replica = replica.reopen().0,
            2 => behind = Some(replica.kv.fork(&replica.env)),
            // Power is lost: the partition may be ahead of what the key-value store kept.
            3 => {
                if let Some(kv) = behind.take() {
                    replica.store.checkpoint().unwrap();
                    replica = replica.reopen_on(kv).0;
                }
            }
            _ => {}
        }
    }
    replica
}

#[test]
fn groups_reopens_replays_and_lost_writes_change_nothing() {
    for seed in 0..12 {
        let slots = if seed % 2 == 0 { SlotRange::ALL } else { HALF };
        let log = random_log(seed, 250);
        let plain = applied_one_by_one(&log, slots);
        let mut rng = SmallRng::seed_from_u64(seed + 1000);
        let random = applied_at_random(&log, slots, &mut rng);
        assert_same(&answers(&random.store), &answers(&plain.store), &format!("seed {seed}"));
        let (reopened, _) = random.reopen();
        assert_same(
            &answers(&reopened.store),
            &answers(&plain.store),
            &format!("seed {seed}, reopened"),
        );
        assert!(plain.store.stats().posts > 10, "seed {seed} tests next to nothing");
    }
}

#[test]
fn a_repeated_log_changes_nothing_but_what_time_has_forgotten() {
    for seed in 50..54 {
        let mut log = random_log(seed, 60);
        // All in one moment, so that action ids are still remembered.
        let retryable = |entry: &EntryToApply| match &entry.payload {
            Payload::Command(proposal) => !matches!(
                proposal.body,
                covey_shared::command::ShardCommand::TrimBefore(_) | covey_shared::command::ShardCommand::TrimOutbox(_)
            ),
            _ => true,
        };
        log.retain(retryable);
        let last = log.iter().filter_map(log_time).max().unwrap();
        for (index, entry) in log.iter_mut().enumerate() {
            entry.index = LogIndex(index as u64 + 1);
            set_log_time(entry, last);
        }
        let once = applied_one_by_one(&log, HALF);
        let mut twice = applied_one_by_one(&log, HALF);
        let again = log.iter().map(|entry| EntryToApply {
            index: LogIndex(entry.index.0 + log.len() as u64),
            ..entry.clone()
        });
        twice.store.apply(&again.collect::<Vec<_>>()).unwrap();
        let (once, twice) = (answers(&once.store), answers(&twice.store));
        // Deletes and puts of one batch may take turns; what is counted may not.
        assert_eq!(twice.viewers, once.viewers, "seed {seed}");
        assert_eq!(twice.authors, once.authors, "seed {seed}");
        assert_eq!(twice.outbox, once.outbox, "seed {seed}");
        assert_eq!(twice.hash, once.hash, "seed {seed}");
    }
}

fn log_time(entry: &EntryToApply) -> Option<UnixMillis> {
    match &entry.payload {
        Payload::Command(proposal) => Some(proposal.log_time),
        _ => None,
    }
}

fn set_log_time(entry: &mut EntryToApply, to: UnixMillis) {
    if let Payload::Command(proposal) = &mut entry.payload {
        proposal.log_time = to;
    }
}

#[test]
fn vectors_that_no_checkpoint_saved_come_back_from_the_key_value_store() {
    let mut replica = Replica::new();
    replica.put(post(1, 1, 1));
    replica.store.checkpoint().unwrap();
    replica.put(post(1, 2, 1));
    replica.put(post(1, 3, 1));
    replica.put(Post {
        vector: F16Vector::default(),
        ..post(1, 3, 2)
    });
    let (replica, report) = replica.reopen();
    assert_eq!((report.durable_rows, report.pending_rows, report.posts), (1, 1, 3));
    assert_eq!(replica.get(key(1, 1)).unwrap().post, post(1, 1, 1));
    assert_eq!(replica.get(key(1, 2)).unwrap().post, post(1, 2, 1));
    assert!(replica.get(key(1, 3)).unwrap().post.vector.0.is_empty());
    assert_eq!(replica.store.pending.len(), 1);
}
