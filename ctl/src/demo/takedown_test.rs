//! Who writes what.

use std::collections::BTreeSet;

use super::*;

fn shards(count: u32) -> Vec<ShardStatus> {
    let slots = 16_384 / count;
    let shard = |at: u32| ShardStatus {
        shard: u64::from(at) + 1,
        slot_start: at * slots,
        slot_end: (at + 1) * slots,
        ..ShardStatus::default()
    };
    (0..count).map(shard).collect()
}

#[test]
fn strangers_are_distinct_and_live_on_other_shards() {
    let four = shards(4);
    let pairs = pairs(&four);
    let users: BTreeSet<u64> = pairs.iter().flat_map(|pair| [pair.followed, pair.stranger]).collect();
    assert_eq!(users.len(), 2 * AT_ONCE as usize);
    let home = |user: u64| shard_of(user, &four).unwrap().shard;
    assert!(pairs.iter().all(|pair| home(pair.followed) != home(pair.stranger)));
}

#[test]
fn one_shard_is_enough() {
    let pairs = pairs(&shards(1));
    let users: BTreeSet<u64> = pairs.iter().flat_map(|pair| [pair.followed, pair.stranger]).collect();
    assert_eq!((pairs.len(), users.len()), (AT_ONCE as usize, 2 * AT_ONCE as usize));
}

#[test]
fn every_round_has_all_pairs_and_every_kind_meets_all_of_them_at_both_coordinators() {
    for round in 0..50 {
        let pairs: BTreeSet<usize> = (0..AT_ONCE).map(|at| pair_of(round * AT_ONCE + at)).collect();
        assert_eq!(pairs.len(), AT_ONCE as usize, "round {round}");
    }
    // Ten turns of kinds, twenty pairs, two coordinators.
    let meeting = |number: u64| (number % 10, pair_of(number), coordinator_of(number, 2));
    let met: BTreeSet<(u64, usize, usize)> = (0..20 * AT_ONCE).map(meeting).collect();
    assert_eq!(met.len(), 10 * 20 * 2);
}

#[test]
fn faults_come_in_turns_at_all_places_of_a_round() {
    let faults: Vec<(u64, Fault, usize)> = (0..200)
        .filter_map(|round| Fault::in_round(round).map(|(fault, at)| (round, fault, at)))
        .collect();
    let first = [
        (0, Fault::Kill, 0),
        (5, Fault::Stop, 0),
        (10, Fault::Kill, 7),
        (15, Fault::Stop, 7),
    ];
    assert_eq!(faults[..4], first);
    for fault in [Fault::Kill, Fault::Stop] {
        let places = faults.iter().filter(|(_, one, _)| *one == fault);
        let places: BTreeSet<usize> = places.map(|(_, _, at)| *at).collect();
        assert_eq!(places, (0..AT_ONCE as usize).collect());
    }
}
