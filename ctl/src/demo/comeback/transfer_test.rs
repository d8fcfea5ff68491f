//! Bytes are counted over all lives, and what came twice is told.

use super::*;

const KILLS: [f64; 2] = [0.25, 0.5];

fn fetching(total_bytes: u64, here: u64, moved_bytes: u64) -> RebuildStatus {
    RebuildStatus {
        phase: RebuildPhase::Fetching.into(),
        bytes: here + moved_bytes,
        total_bytes,
        moved_bytes,
        ..RebuildStatus::default()
    }
}

fn transfer(looks: &[(u64, u64, u64)]) -> Transfer {
    let mut transfer = Transfer::default();
    for (at, (total, here, moved)) in looks.iter().enumerate() {
        transfer.see(&fetching(*total, *here, *moved), Duration::from_secs(at as u64));
    }
    transfer
}

#[test]
fn what_never_began_was_no_transfer() {
    assert_eq!(transfer(&[(0, 0, 0)]).moved(), None);
    assert!(!transfer(&[(0, 0, 0)]).is_due(&KILLS));
}

#[test]
fn the_end_that_no_look_saw_is_counted() {
    let moved = transfer(&[(100, 0, 10), (100, 0, 80)]).moved().unwrap();
    assert_eq!(
        (moved.snapshot_bytes, moved.received_bytes, moved.again_bytes),
        (100, 100, 0)
    );
}

#[test]
fn a_kill_is_due_at_each_share_once() {
    let mut transfer = transfer(&[(100, 0, 24)]);
    assert!(!transfer.is_due(&KILLS));
    transfer.see(&fetching(100, 0, 25), Duration::ZERO);
    assert!(transfer.is_due(&KILLS) && !transfer.is_due(&[]));
    transfer.killed(Kept::default());
    assert!(!transfer.is_due(&KILLS), "it has not begun again");
    transfer.see(&fetching(100, 30, 19), Duration::ZERO);
    assert!(!transfer.is_due(&KILLS));
    transfer.see(&fetching(100, 30, 20), Duration::ZERO);
    assert!(transfer.is_due(&KILLS));
    transfer.killed(Kept::default());
    transfer.see(&fetching(100, 50, 40), Duration::ZERO);
    assert!(!transfer.is_due(&KILLS), "it was killed as often as it should be");
}

#[test]
fn nothing_is_due_once_all_bytes_are_there() {
    let installing = RebuildStatus {
        phase: RebuildPhase::Installing.into(),
        ..fetching(100, 0, 100)
    };
    let mut transfer = transfer(&[(100, 0, 10)]);
    transfer.see(&installing, Duration::from_secs(9));
    assert!(!transfer.is_due(&KILLS));
    assert_eq!(transfer.times(), (Some(Duration::ZERO), Some(Duration::from_secs(9))));
}

#[test]
fn what_a_killed_life_had_and_the_next_one_fetched_again_is_told() {
    let mut transfer = transfer(&[(100, 0, 20)]);
    transfer.killed(Kept {
        verified: 10,
        bytes: 33,
    });
    let mut good = transfer.clone();
    good.see(&fetching(100, 30, 5), Duration::ZERO);
    let good = good.moved().unwrap();
    assert_eq!(
        (good.received_bytes, good.again_bytes, good.verified_again_bytes),
        (103, 3, 0)
    );
    transfer.see(&fetching(100, 4, 5), Duration::ZERO);
    let bad = transfer.moved().unwrap();
    assert_eq!(
        (bad.received_bytes, bad.again_bytes, bad.verified_again_bytes),
        (129, 29, 6)
    );
}

#[test]
fn another_life_that_begins_with_as_much_is_another_attempt() {
    let mut transfer = transfer(&[(100, 0, 20)]);
    transfer.killed(Kept { verified: 0, bytes: 20 });
    transfer.see(&fetching(100, 0, 5), Duration::ZERO);
    assert_eq!(transfer.moved().unwrap().again_bytes, 20);
}

#[test]
fn another_snapshot_is_no_repetition() {
    let moved = transfer(&[(100, 0, 20), (110, 15, 1)]).moved().unwrap();
    assert_eq!((moved.changes, moved.again_bytes, moved.received_bytes), (1, 0, 115));
}

#[test]
fn what_lies_on_the_disk_is_counted_by_the_names_of_the_files() {
    let node = tempfile::tempdir().unwrap();
    assert_eq!(Kept::of(node.path()), Kept::default());
    let shard = node.path().join("incoming/shard-0001");
    fs::create_dir_all(&shard).unwrap();
    let hash = "ab".repeat(HASH_DIGITS / 2);
    for (name, bytes) in [(hash.clone(), 5), (hash + ".part", 7), ("bar".to_owned(), 11)] {
        fs::write(shard.join(name), vec![0; bytes]).unwrap();
    }
    assert_eq!(Kept::of(node.path()), Kept { verified: 5, bytes: 12 });
}
