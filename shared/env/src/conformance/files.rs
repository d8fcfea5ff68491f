//! What every form of the disk must do.

use std::io::ErrorKind;
use std::path::Path;

use crate::{Disk, Env, OpenMode};

/// Files, directories, names. `dir` is an absolute path that does not exist yet. Locks are left to the form: the
/// simulated one need not have them.
pub fn disk(env: &Env, dir: &Path) {
    let disk = &*env.disk;
    assert!(!disk.exists(dir).expect("exists answers"));
    let nested = dir.join("a/b");
    disk.create_dir_all(&nested).expect("directories are made");
    disk.create_dir_all(&nested).expect("directories that exist are fine");
    assert!(disk.exists(&nested).expect("exists answers"));
    content(disk, &nested);
    names(disk, &nested);
    whole_files(disk, &nested);
    if let Some(space) = disk.space(&nested).expect("room is known or None") {
        assert!(space.free <= space.total);
    }
    let full = disk.remove_dir(&dir.join("a")).expect_err("it holds something");
    assert_eq!(full.kind(), ErrorKind::DirectoryNotEmpty);
    assert!(disk.exists(&nested).expect("exists answers"));
    disk.create_dir_all(&dir.join("empty")).expect("a directory is made");
    disk.remove_dir(&dir.join("empty"))
        .expect("an empty directory is removed");
    disk.remove_dir_all(&dir.join("a")).expect("a tree is removed");
    disk.sync_dir(dir).expect("a directory is synced");
    assert!(disk.list(dir).expect("an empty directory is listed").is_empty());
}

fn content(disk: &dyn Disk, dir: &Path) {
    let path = dir.join("content");
    let missing = disk
        .open(&path, OpenMode::ReadWrite)
        .err()
        .expect("a missing file does not open");
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let file = disk.open(&path, OpenMode::CreateNew).expect("a file is made");
    let taken = disk
        .open(&path, OpenMode::CreateNew)
        .err()
        .expect("a taken name is refused");
    assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
    assert_eq!(file.path(), path);
    file.write_at(b"world", 6).expect("a write beyond the end lengthens");
    file.write_at(b"hello", 0).expect("a write in the middle overwrites");
    assert_eq!(file.len().expect("length is known"), 11);
    let mut read = [1; 11];
    file.read_at(&mut read, 0).expect("what was written is read");
    assert_eq!(&read, b"hello\0world");
    let short = file.read_at(&mut read, 1).expect_err("a read across the end fails");
    assert_eq!(short.kind(), ErrorKind::UnexpectedEof);
    file.set_len(4).expect("a file is cut");
    file.set_len(6).expect("a file is lengthened");
    file.sync_data().expect("data is synced");
    file.sync_all().expect("all is synced");
    disk.sync_dir(dir).expect("the directory is synced");
    drop(file);
    let again = disk.open(&path, OpenMode::Read).expect("the file opens again");
    let mut read = [1; 6];
    again.read_at(&mut read, 0).expect("the file is read again");
    assert_eq!(&read, b"hell\0\0");
    assert!(again.write_at(b"x", 0).is_err(), "a file opened to read is not written");
}

fn names(disk: &dyn Disk, dir: &Path) {
    for name in ["2", "10", "1"] {
        let file = disk.open(&dir.join(name), OpenMode::CreateNew).expect("a file is made");
        file.write_at(name.as_bytes(), 0).expect("a file is written");
        file.sync_all().expect("a file is synced");
    }
    disk.create_dir_all(&dir.join("3")).expect("a directory is made");
    let listed: Vec<_> = disk
        .list(dir)
        .expect("a directory is listed")
        .into_iter()
        .map(|e| (e.path, e.is_dir, e.len))
        .collect();
    let expected = [
        ("1", false, 1),
        ("10", false, 2),
        ("2", false, 1),
        ("3", true, 0),
        ("content", false, 6),
    ];
    assert_eq!(
        listed,
        expected.map(|(name, is_dir, len)| (dir.join(name), is_dir, len))
    );

    disk.rename(&dir.join("1"), &dir.join("10")).expect("a rename replaces");
    assert!(!disk.exists(&dir.join("1")).expect("exists answers"));
    assert_eq!(disk.read_file(&dir.join("10"), 10).expect("the new name reads"), b"1");
    disk.hard_link(&dir.join("10"), &dir.join("3/link"))
        .expect("a hard link is made");
    disk.sync_dir(&dir.join("3")).expect("the directory is synced");
    disk.remove_file(&dir.join("10")).expect("a name is removed");
    disk.sync_dir(dir).expect("the directory is synced");
    assert_eq!(
        disk.read_file(&dir.join("3/link"), 10)
            .expect("the content lives on under the other name"),
        b"1"
    );
    let gone = disk
        .remove_file(&dir.join("10"))
        .expect_err("a missing name is not removed");
    assert_eq!(gone.kind(), ErrorKind::NotFound);
}

fn whole_files(disk: &dyn Disk, dir: &Path) {
    let path = dir.join("manifest");
    disk.replace_file(&path, b"one").expect("a file is written");
    disk.replace_file(&path, b"second").expect("a file is replaced");
    assert_eq!(disk.read_file(&path, 6).expect("a file is read"), b"second");
    let long = disk.read_file(&path, 5).expect_err("a file over the limit is refused");
    assert_eq!(long.kind(), ErrorKind::InvalidData);
    assert!(!disk.exists(&dir.join("manifest.tmp")).expect("exists answers"));
}
