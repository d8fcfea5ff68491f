//! First lines, TODOs, paths.

use super::{first_line, machine_paths, todo};
use crate::workspace::Workspace;

#[test]
fn a_file_that_does_not_say_what_it_is_is_found() {
    let found = first_line(&Workspace::of([
        ("a.rs", "use x;\n"),
        ("b.rs", "//! Good.\n"),
        ("c.rs", "//!\n"),
    ]));
    assert_eq!(
        found.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(),
        ["a.rs", "c.rs"]
    );
}

#[test]
fn a_todo_needs_a_point_of_the_roadmap() {
    let text = "// TODO: later\n// TODO(roadmap 1): with its point\n// TODO(roadmap 9): no such point\nlet s = \"TODO\";\n/* FIXME */";
    let found = todo(&Workspace::of([
        ("a.rs", text),
        ("docs/roadmap.md", "# Roadmap\n\n1. A point.\n"),
    ]));
    assert_eq!(found.iter().map(|f| f.line).collect::<Vec<_>>(), [1, 3, 5]);
}

#[test]
fn a_path_of_one_machine_is_found() {
    let text = "ls /root/x\nsee docs/work/a and https://x/home/y\nCACHE=/home/me\n$HOME/root/x\n";
    let found = machine_paths(&Workspace::of([("a.md", text)]));
    assert_eq!(found.iter().map(|f| f.line).collect::<Vec<_>>(), [1, 3]);
}
