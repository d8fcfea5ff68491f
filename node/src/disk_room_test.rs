//! When a disk counts as nearly full.

use super::*;

const LIMIT: f64 = 0.05;

fn space(free: u64) -> DiskSpace {
    DiskSpace { free, total: 1000 }
}

/// What each look in turn says of a disk with this much free of 1000.
fn looks(free: &[u64], limit: f64) -> Vec<bool> {
    let mut room = None;
    let look = |free: &u64| {
        let now = DiskRoom::judge(room, space(*free), limit);
        room = Some(now);
        now.low
    };
    free.iter().map(look).collect()
}

#[test]
fn a_disk_is_low_below_the_limit_and_not_at_it() {
    assert_eq!(looks(&[51, 50, 49, 0], LIMIT), [false, false, true, true]);
}

#[test]
fn a_low_disk_needs_a_little_more_than_the_limit_to_have_room_again() {
    assert_eq!(
        looks(&[49, 50, 59, 60, 55, 50, 49], LIMIT),
        [true, true, true, false, false, false, true]
    );
}

#[test]
fn without_a_limit_no_disk_is_low() {
    assert_eq!(looks(&[0, 0], 0.0), [false, false]);
    let nothing = DiskSpace { free: 0, total: 0 };
    assert!(
        !DiskRoom::judge(None, nothing, LIMIT).low,
        "no file system is that small"
    );
}
