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
    assert_eq!(pairs(&shards(1)).len(), AT_ONCE as usize);
}

#[test]
fn faults_come_in_turns() {
    let faults: Vec<(u64, Fault)> = (0..20)
        .filter_map(|round| Some((round, Fault::in_round(round)?)))
        .collect();
    let wanted = [(4, Fault::Kill), (9, Fault::Stop), (14, Fault::Kill), (19, Fault::Stop)];
    assert_eq!(faults, wanted);
}
