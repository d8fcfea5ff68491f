//! What others do to a directory meanwhile.

use std::fs;

use super::SystemDisk;
use crate::Disk;

#[test]
fn a_file_that_is_removed_while_its_directory_is_listed_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = |n: u32| dir.path().join(n.to_string());
    (0..5000).for_each(|n| fs::write(path(n), "x").unwrap());
    std::thread::scope(|scope| {
        let removed = scope.spawn(|| (0..5000).for_each(|n| fs::remove_file(path(n)).unwrap()));
        while !removed.is_finished() {
            SystemDisk.list(dir.path()).unwrap();
        }
    });
    assert!(SystemDisk.list(dir.path()).unwrap().is_empty());
}
