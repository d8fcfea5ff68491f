//! What is moved, and that a crash on the way does no harm.

use covey_env::Env;

use super::*;

fn names(env: &Env, dir: &Path) -> Vec<String> {
    let entries = env.disk.list(dir).expect("it is there");
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let mut names: Vec<String> = entries.iter().filter_map(|entry| name(&entry.path)).collect();
    names.sort();
    names
}

fn node(parts: &[&str], files: &[&str]) -> (tempfile::TempDir, Env) {
    let (dir, env) = (
        tempfile::tempdir().expect("a directory"),
        Env::production(1).expect("threads"),
    );
    for part in parts {
        env.disk.create_dir_all(&dir.path().join(part)).expect("a directory");
    }
    for file in files {
        env.disk.replace_file(&dir.path().join(file), b"").expect("a file");
    }
    (dir, env)
}

#[test]
fn everything_but_the_log_is_moved_and_the_mark_goes() {
    let (dir, env) = node(
        &["wal", "kv", "shard-0001.1", "incoming", "damaged.1/kv", "damaged.1/old"],
        &["LOCK", MARK],
    );
    assert!(is_marked(&*env.disk, dir.path()).expect("it can be read"));
    let aside = set_aside(&*env.disk, dir.path()).expect("it can be moved");
    assert_eq!(names(&env, dir.path()), ["LOCK", "damaged.1", "damaged.2", "wal"]);
    assert_eq!(
        names(&env, &aside),
        ["incoming", "kv", "shard-0001.1"],
        "apart from what was moved earlier"
    );
    assert!(!is_marked(&*env.disk, dir.path()).expect("it can be read"));
}

#[test]
fn after_a_crash_on_the_way_nothing_that_was_moved_is_removed() {
    let (dir, env) = node(&["wal", "shard-0001.1", "damaged.1/old", "damaged.2/kv"], &[MARK]);
    let aside = set_aside(&*env.disk, dir.path()).expect("it can be moved");
    assert_eq!(names(&env, &aside), ["kv", "shard-0001.1"]);
}
