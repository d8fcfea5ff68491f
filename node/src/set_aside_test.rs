//! What is moved, and that a crash on the way does no harm.

use std::fs;

use covey_env::Env;

use super::*;

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("it is there");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("it can be read")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

fn node(parts: &[&str]) -> (tempfile::TempDir, Env) {
    let dir = tempfile::tempdir().expect("a directory");
    for part in parts {
        fs::create_dir_all(dir.path().join(part)).expect("a directory");
    }
    (dir, Env::production(1).expect("threads"))
}

#[test]
fn everything_but_the_log_is_moved_and_the_mark_goes() {
    let (dir, env) = node(&["wal", "kv", "shard-0001.1", "incoming", "damaged/kv", "damaged/old"]);
    fs::write(dir.path().join("LOCK"), b"").expect("a file");
    fs::write(dir.path().join(MARK), b"").expect("a file");
    assert!(is_marked(&*env.disk, dir.path()).expect("it can be read"));
    let aside = set_aside(&*env.disk, dir.path()).expect("it can be moved");
    assert_eq!(names(dir.path()), ["LOCK", "damaged", "wal"]);
    assert_eq!(
        names(&aside),
        ["incoming", "kv", "shard-0001.1"],
        "what an earlier time left is gone"
    );
    assert!(!is_marked(&*env.disk, dir.path()).expect("it can be read"));
}

#[test]
fn after_a_crash_on_the_way_nothing_that_was_moved_is_removed() {
    let (dir, env) = node(&["wal", "shard-0001.1", "damaged/kv"]);
    fs::write(dir.path().join(MARK), b"").expect("a file");
    let aside = set_aside(&*env.disk, dir.path()).expect("it can be moved");
    assert_eq!(names(&aside), ["kv", "shard-0001.1"]);
}
