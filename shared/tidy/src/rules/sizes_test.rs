//! Too long, too wide.

use super::{files, functions, most_functions};
use crate::workspace::Workspace;

fn body(lines: usize) -> String {
    format!("fn f() {{\n{}}}\n", "    a();\n".repeat(lines))
}

#[test]
fn a_long_file_is_found() {
    let (long, good) = ("//! x\n".repeat(401), "//! x\n".repeat(400));
    let found = files(&Workspace::of([
        ("a.rs", long.as_str()),
        ("b.rs", &good),
        ("c.md", &long),
    ]));
    assert_eq!(found.len(), 1);
    assert!(
        found[0].to_string().starts_with("a.rs:400: 401 lines; split it"),
        "{}",
        found[0]
    );
}

#[test]
fn a_long_or_wide_function_is_found() {
    let found = functions(&Workspace::of([("a.rs", body(70).as_str()), ("b.rs", &body(68))]));
    assert_eq!(
        found.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["a.rs:1: f has 72 lines; split it: a function has at most 70"]
    );
    let wide = "fn f(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8) {}";
    assert!(
        functions(&Workspace::of([("a.rs", wide)]))[0]
            .message
            .starts_with("f has 7 parameters; group them")
    );
}

#[test]
fn more_than_one_in_twenty_over_forty_lines_is_found() {
    let (short, long) = ("fn s() {}\n".repeat(19), body(50));
    let mixed = format!("{short}{long}");
    assert!(most_functions(&Workspace::of([("a.rs", mixed.as_str())])).is_empty());
    let found = most_functions(&Workspace::of([("a.rs", mixed.as_str()), ("b.rs", long.as_str())]));
    assert_eq!(found.len(), 1);
}
