//! Functions are measured, `use` trees unfolded.

use super::{Function, functions, used_paths};
use crate::scan::Source;

fn first(text: &str) -> Function {
    functions(&Source::new(text))
        .into_iter()
        .next()
        .expect("there is a function")
}

#[test]
fn parameters_are_counted_past_generics_and_closures() {
    assert_eq!(first("fn a() {}").parameters, 0);
    assert_eq!(first("fn a(&self, x: u8,) {}").parameters, 2);
    assert_eq!(
        first("fn a<F: Fn(u8, u8) -> u8>(f: F, m: Map<K, V>, t: (u8, u8)) -> Vec<u8> {}").parameters,
        3
    );
    assert_eq!(first("fn a(f: impl Fn(u8) -> Map<K, V>, b: [u8; 4]) {}").parameters, 2);
}

#[test]
fn only_lines_with_code_count() {
    let f = first("\n/// doc\nfn long(\n    a: u8,\n) {\n    // why\n\n    a();\n    \"x\";\n}\n");
    assert_eq!((f.line, f.lines), (3, 6));
    assert_eq!(first("fn declared(a: u8) -> [u8; 4];").lines, 0);
    assert_eq!(first("fn one(a: u8) -> [u8; 4] { x }").lines, 1);
}

#[test]
fn types_and_macros_are_no_functions() {
    assert_eq!(
        functions(&Source::new(
            "type F = fn(u8) -> u8; macro_rules! m { () => { fn $name() {} } }"
        )),
        []
    );
}

#[test]
fn nested_functions_are_found() {
    let names: Vec<_> = functions(&Source::new("fn a() { fn b() {} }"))
        .into_iter()
        .map(|f| f.name)
        .collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn use_trees_are_unfolded() {
    let source = Source::new("use std::{fs::{self, File}, io as x};\nuse a::b;\n");
    let paths = used_paths(&source);
    let expected = [("std::fs::self", 1), ("std::fs::File", 1), ("a::b", 2)];
    for (path, line) in expected {
        assert!(paths.contains(&(path.to_owned(), line)), "{path} in {paths:?}");
    }
}
