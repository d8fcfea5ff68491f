//! What a step shows and how it ends.

use covey_shared::wire::RebuildPhase;

use super::*;

#[test]
fn a_fetch_is_shown_in_bytes_with_rate_and_time_left() {
    let mut progress = OperationProgress::default();
    let rebuild = RebuildStatus {
        shard: ShardId(1),
        phase: RebuildPhase::Fetching,
        source: None,
        silent: Vec::new(),
        bytes: 600,
        total_bytes: 1000,
        moved_bytes: 400,
        elapsed_ms: 2000,
    };
    fetched(&mut progress, &rebuild);
    assert_eq!((progress.done, progress.total, progress.bytes), (600, 1000, true));
    assert_eq!((progress.rate, progress.eta_ms), (200, Some(2000)));
}

#[test]
fn what_ran_out_of_time_has_failed_and_what_was_taken_back_has_not() {
    assert_eq!(ending(End::Moved, true), Ending::Done);
    assert_eq!(ending(End::Cancelled, false), Ending::Cancelled);
    assert!(matches!(ending(End::Cancelled, true), Ending::Failed(_)));
    let nothing = End::NothingToMove(NodeId(3));
    assert_eq!(ending(nothing, false), Ending::Failed(nothing.to_string()));
}
