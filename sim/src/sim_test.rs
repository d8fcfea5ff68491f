//! What the simulator promises: healthy runs hold, a seed replays exactly, and defects are found.

use super::*;

/// CI's share; `covey-sim --seeds A..B` runs as many as wanted.
const SEEDS: u64 = 50;
/// Seeds within which a defect must show.
const FOUND_WITHIN: u64 = 20;

#[test]
fn healthy_clusters_hold_every_invariant() {
    let (mut acknowledged, mut snapshots, mut rebuilt) = (0, 0, 0);
    let (mut moves, mut drains, mut cancelled, mut followed) = (0, 0, 0, 0);
    for seed in 0..SEEDS {
        let outcome = run(Plan::new(seed));
        assert!(outcome.violations.is_empty(), "seed {seed}: {:#?}", outcome.violations);
        assert!(outcome.faults > 0, "seed {seed} tests nothing");
        acknowledged += outcome.acknowledged;
        snapshots += outcome.snapshots;
        rebuilt += outcome.rebuilt;
        moves += outcome.moves;
        drains += outcome.drains;
        cancelled += outcome.cancelled;
        followed += outcome.followed;
    }
    assert!(
        acknowledged as u64 > SEEDS * 50,
        "only {acknowledged} writes were acknowledged in all"
    );
    assert!(followed > SEEDS * 20, "only {followed} follows went to another shard");
    assert!(rebuilt > SEEDS / 2, "only {rebuilt} replicas came back after a loss");
    // Drains and repairs move others.
    assert!(moves > SEEDS * 3, "only {moves} replicas were moved by themselves");
    assert!(drains > SEEDS / 2, "only {drains} hosts were emptied");
    assert!(cancelled > SEEDS / 5, "only {cancelled} moves were taken back");
    assert!(snapshots > SEEDS, "only {snapshots} replicas came back by snapshot");
}

#[test]
fn a_seed_replays_exactly() {
    for seed in [3, 17] {
        let (first, second) = (run(Plan::new(seed)), run(Plan::new(seed)));
        assert_eq!(first.trace_hash, second.trace_hash, "seed {seed}");
        assert_eq!(
            (first.applied, first.faults, first.moves),
            (second.applied, second.faults, second.moves),
            "seed {seed}"
        );
    }
    assert_ne!(run(Plan::new(3)).trace_hash, run(Plan::new(17)).trace_hash);
}

#[test]
fn a_skipped_fsync_of_files_is_found() {
    assert_found(DiskFault::SkipFileSync);
}

#[test]
fn a_skipped_fsync_of_directories_is_found() {
    assert_found(DiskFault::SkipDirectorySync);
}

fn assert_found(defect: DiskFault) {
    let found = (0..FOUND_WITHIN).find(|seed| {
        !run(Plan {
            defect,
            ..Plan::new(*seed)
        })
        .violations
        .is_empty()
    });
    assert!(found.is_some(), "{defect:?} was not found within {FOUND_WITHIN} seeds");
}
