//! The patches of `sim/bugs` fit the tree, so that `./dev sim --bugs` can be run at any time.

use std::path::Path;
use std::process::Command;

use covey_env::Env;

#[test]
fn every_seeded_bug_still_applies_to_the_tree() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("sim is a folder of the tree");
    let git = |arguments: &[&str]| Command::new("git").args(arguments).current_dir(root).output();
    if !git(&["rev-parse", "--git-dir"]).is_ok_and(|answer| answer.status.success()) {
        println!("skipped: there is no git here, or the tree is no repository");
        return;
    }
    let disk = Env::production(1).expect("an environment").disk;
    let bugs = disk.list(&root.join("sim/bugs")).expect("the folder is there");
    let patches = bugs
        .iter()
        .filter(|entry| entry.path.extension().is_some_and(|ext| ext == "patch"));
    let mut count = 0;
    for patch in patches {
        let path = patch.path.to_str().expect("names of patches are plain");
        let answer = git(&["apply", "--check", path]).expect("it ran a moment ago");
        let why = String::from_utf8_lossy(&answer.stderr);
        assert!(answer.status.success(), "{path} has to be made anew: {why}");
        count += 1;
    }
    assert!(count >= 15, "{count} bugs only");
}
