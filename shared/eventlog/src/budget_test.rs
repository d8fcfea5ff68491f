//! The oldest go first, and no more of them than needed.

use covey_env::DiskSpace;

use super::{Sealed, Taken, is_low};
use crate::hour::Hour;

fn file(hour: u64, name: &str, bytes: u64) -> Sealed {
    Sealed {
        hour: Hour::at(hour * 3_600_000),
        name: name.to_owned(),
        path: name.into(),
        bytes,
    }
}

fn names(files: &[Sealed]) -> Vec<&str> {
    files.iter().map(|file| file.name.as_str()).collect()
}

#[test]
fn the_oldest_go_until_the_rest_fits() {
    let sealed = vec![file(3, "d", 10), file(1, "b", 10), file(1, "a", 10), file(2, "c", 10)];
    let gone = |open, limit| {
        let sealed = sealed.clone();
        Taken { open, sealed }.excess(limit)
    };
    assert_eq!(names(&gone(0, 40)), [""; 0]);
    assert_eq!(names(&gone(0, 39)), ["a"]);
    assert_eq!(names(&gone(0, 20)), ["a", "b"]);
    assert_eq!(names(&gone(15, 40)), ["a", "b"]);
    assert_eq!(names(&gone(100, 40)), ["a", "b", "c", "d"]);
    let nothing = Taken {
        open: 100,
        ..Taken::default()
    };
    assert_eq!(names(&nothing.excess(40)), [""; 0]);
}

#[test]
fn the_limit_is_the_budget_or_what_leaves_enough_of_the_disk_free() {
    let taken = Taken {
        open: 5,
        sealed: vec![file(1, "a", 10), file(1, "b", 15)],
    };
    let limit = |budget, free, min_free| taken.limit(budget, Some(DiskSpace { free, total: 1000 }), min_free);
    assert_eq!(
        taken.limit(70, None, 0.5),
        70,
        "a disk that does not say is large enough"
    );
    assert_eq!(limit(70, 900, 0.1), 70);
    // 100 stay free: the rest is ours, with the 30 that we have.
    assert_eq!(limit(500, 300, 0.1), 230);
    assert_eq!(limit(500, 100, 0.1), 30, "no more than there is");
    assert_eq!(limit(500, 90, 0.1), 20);
    assert_eq!(limit(500, 0, 0.1), 0);
    assert_eq!(limit(500, 0, 0.0), 30);
}

#[test]
fn a_disk_is_low_below_the_reserve() {
    let is_low = |free, min_free| is_low(DiskSpace { free, total: 1000 }, min_free);
    assert!(is_low(99, 0.1) && !is_low(100, 0.1));
    assert!(!is_low(0, 0.0));
}
