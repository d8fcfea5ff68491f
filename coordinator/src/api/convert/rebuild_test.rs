//! A person sees who is waited for, and how long it may take.

use covey_shared::ids::ShardId;

use super::*;

fn status(phase: RebuildPhase) -> RebuildStatus {
    RebuildStatus {
        shard: ShardId(7),
        phase,
        source: Some(NodeId(1)),
        silent: vec![],
        bytes: 30 << 20,
        total_bytes: 100 << 20,
        moved_bytes: 20 << 20,
        elapsed_ms: 2_000,
    }
}

#[test]
fn a_transfer_shows_rate_and_time_to_go() {
    assert_eq!(
        in_words(NodeId(2), &status(RebuildPhase::Fetching)),
        "shard 7 on node 2 is being rebuilt: fetches a snapshot of node 1, 30 of 100 MiB, 10 MiB/s, about 7 s to go"
    );
}

#[test]
fn who_has_to_answer_first_is_named() {
    let waiting = RebuildStatus {
        silent: vec![NodeId(1), NodeId(3)],
        ..status(RebuildPhase::Asking)
    };
    let words = in_words(NodeId(2), &waiting);
    assert!(words.contains("waits for node 1 and node 3"), "{words}");
    assert_eq!(figures(&waiting).silent, [1, 3]);
    assert_eq!(figures(&waiting).phase(), v1::RebuildPhase::Asking);
}
