//! What the crash matrix promises: healthy code passes, a seed replays exactly, and defects are found.

use super::*;

/// CI's share; `covey-sim crash --seeds A..B` runs as many as wanted.
const SEEDS: u64 = 400;
/// Seeds within which a defect must show.
const FOUND_WITHIN: u64 = 100;

#[test]
fn no_acknowledged_write_is_lost_and_no_answer_is_wrong() {
    let mut figures = CrashFigures::default();
    for seed in 0..SEEDS {
        let outcome = run(CrashPlan::new(seed));
        assert_eq!(outcome.violation, None, "seed {seed}");
        figures += outcome.figures;
    }
    let seen = [
        figures.power_losses,
        figures.kills,
        figures.errors,
        figures.outlived,
        figures.stops,
        figures.detected,
        figures.harmless,
        figures.maintained,
        figures.segments,
    ];
    assert!(figures.healed > 0, "no damaged row was healed: {figures}");
    assert!(
        seen.iter().all(|count| *count > 10),
        "something is hardly tested: {figures}"
    );
}

#[test]
fn a_seed_replays_exactly() {
    for seed in [3, 17, 99] {
        let (first, second) = (run(CrashPlan::new(seed)), run(CrashPlan::new(seed)));
        assert_eq!(
            (first.trace_hash, first.figures),
            (second.trace_hash, second.figures),
            "seed {seed}"
        );
    }
    assert_ne!(run(CrashPlan::new(3)).trace_hash, run(CrashPlan::new(17)).trace_hash);
}

#[test]
fn a_skipped_fsync_is_found() {
    assert_found(Bug::SkipFsync);
}

#[test]
fn a_skipped_fsync_of_a_directory_is_found() {
    assert_found(Bug::SkipDirFsync);
}

#[test]
fn a_log_cut_too_early_is_found() {
    assert_found(Bug::CompactEarly);
}

#[test]
fn a_file_that_is_named_before_it_is_synced_is_found() {
    assert_found(Bug::SwapBeforeFsync);
}

#[test]
fn an_applied_index_apart_from_its_effects_is_found() {
    assert_found(Bug::AppliedApart);
}

fn assert_found(bug: Bug) {
    let bug = Some(bug);
    let found = (0..FOUND_WITHIN).find(|seed| {
        let plan = CrashPlan {
            bug,
            ..CrashPlan::new(*seed)
        };
        run(plan).violation.is_some()
    });
    assert!(found.is_some(), "{bug:?} was not found within {FOUND_WITHIN} seeds");
}
