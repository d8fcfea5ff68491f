//! What the simulator promises: healthy runs hold, a seed replays exactly, and defects are found.

use super::*;

/// CI's share; `covey-sim --seeds A..B` runs as many as wanted.
const SEEDS: u64 = 50;
/// Kinds of faults, wrong calendars included.
const KINDS: usize = 13;
/// Seeds within which a defect must show.
const FOUND_WITHIN: u64 = 20;

#[test]
fn healthy_clusters_hold_every_invariant() {
    let (mut faults, mut ended_full, mut shared) = (Faults::new(), 0, 0);
    let mut answers = (0, 0, 0);
    let (mut acknowledged, mut snapshots, mut rebuilt) = (0, 0, 0);
    let (mut moves, mut drains, mut cancelled, mut followed) = (0, 0, 0, 0);
    for seed in 0..SEEDS {
        let outcome = run(Plan::new(seed));
        assert!(outcome.violations.is_empty(), "seed {seed}: {:#?}", outcome.violations);
        assert!(
            outcome.faults.len() > 1,
            "seed {seed} tests nothing: {:?}",
            outcome.faults
        );
        for (kind, count) in &outcome.faults {
            *faults.entry(*kind).or_insert(0) += count;
        }
        ended_full += outcome.ended_full;
        acknowledged += outcome.acknowledged;
        snapshots += outcome.snapshots;
        rebuilt += outcome.rebuilt;
        shared += outcome.shared;
        answers.0 += outcome.complete;
        answers.1 += outcome.incomplete;
        answers.2 += outcome.shown;
        assert_eq!(
            outcome.undecided, 0,
            "seed {seed}: nobody knows whether it is linearizable"
        );
        moves += outcome.moves;
        drains += outcome.drains;
        cancelled += outcome.cancelled;
        followed += outcome.followed;
    }
    assert_eq!(faults.len(), KINDS, "some kind of fault never happened: {faults:?}");
    assert!(ended_full > SEEDS / 5, "full disks ended only {ended_full} processes");
    assert!(
        acknowledged as u64 > SEEDS * 50,
        "only {acknowledged} writes were acknowledged in all"
    );
    assert!(
        shared as u64 > SEEDS * 200,
        "only {shared} reads and writes of shared posts"
    );
    let (complete, incomplete, shown) = answers;
    assert!(
        complete > SEEDS * 100,
        "only {complete} answers of coordinators said that they were complete"
    );
    assert!(incomplete > SEEDS / 5, "only {incomplete} said that they were not");
    assert!(shown > SEEDS * 100, "feeds showed only {shown} posts");
    assert!(followed > SEEDS * 20, "only {followed} follows went to another shard");
    assert!(rebuilt > SEEDS / 4, "only {rebuilt} replicas came back after a loss");
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
            (first.applied, &first.faults, first.moves),
            (second.applied, &second.faults, second.moves),
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
