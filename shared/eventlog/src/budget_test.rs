//! The oldest go first, and no more of them than needed.

use super::{Sealed, excess};
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
    let files = vec![file(3, "d", 10), file(1, "b", 10), file(1, "a", 10), file(2, "c", 10)];
    let gone = |open, budget| excess(files.clone(), open, budget);
    assert_eq!(names(&gone(0, 40)), [""; 0]);
    assert_eq!(names(&gone(0, 39)), ["a"]);
    assert_eq!(names(&gone(0, 20)), ["a", "b"]);
    assert_eq!(names(&gone(15, 40)), ["a", "b"]);
    assert_eq!(names(&gone(100, 40)), ["a", "b", "c", "d"]);
    assert_eq!(names(&excess(Vec::new(), 100, 40)), [""; 0]);
}
