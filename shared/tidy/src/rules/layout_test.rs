//! Tests in the wrong place, tests that never run, names that say nothing.

use super::tests_beside;
use crate::workspace::Workspace;

fn messages<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    tests_beside(&Workspace::of(files))
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn tests_inside_the_code_are_found() {
    assert_eq!(
        messages([("a/x.rs", "//! x\n#[test]\nfn t() {}")]),
        ["a/x.rs:2: move the tests to x_test.rs beside it"]
    );
    assert!(messages([("a/tests/x.rs", "//! x\n#[test]\nfn t() {}")]).is_empty());
}

#[test]
fn a_test_file_that_nobody_includes_is_found() {
    let found = messages([("a/x.rs", "//! x\n"), ("a/x_test.rs", "//! x\n")]);
    assert!(found[0].starts_with("a/x_test.rs:1: nobody includes it"), "{found:?}");
    assert!(
        messages([
            ("a/x.rs", "#[path = \"x_test.rs\"]\nmod tests;"),
            ("a/x_test.rs", "//! x\n")
        ])
        .is_empty()
    );
    assert!(messages([("a/mod.rs", "#[cfg(test)]\nmod x_test;"), ("a/x_test.rs", "//! x\n")]).is_empty());
}

#[test]
fn names_that_say_nothing_are_found() {
    assert_eq!(messages([("a/utils.rs", "//! x\n")]).len(), 1);
}
