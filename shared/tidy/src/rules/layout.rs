//! Where things are.

use crate::scan::{find_word, line_of};
use crate::workspace::{Finding, Workspace, finding};

const EMPTY_NAMES: [&str; 6] = ["utils", "util", "helpers", "helper", "manager", "misc"];

/// Tests stand in `foo_test.rs` beside `foo.rs` (or in `tests/`), and somebody includes them. File names say something.
pub fn tests_beside(workspace: &Workspace) -> Vec<Finding> {
    let mut out = Vec::new();
    for (path, source) in &workspace.rust {
        let (dir, file) = path.rsplit_once('/').unwrap_or(("", path));
        let stem = file.trim_end_matches(".rs");
        let is_test = stem.ends_with("_test") || path.contains("/tests/");
        if !is_test && let Some(at) = find_word(&source.code, "#[test]").next() {
            out.push(finding(
                path,
                line_of(&source.code, at),
                format!("move the tests to {stem}_test.rs beside it"),
            ));
        }
        if stem.ends_with("_test") && !path.contains("/tests/") && !is_included(workspace, dir, file) {
            out.push(finding(
                path,
                1,
                format!("nobody includes it, so it never runs: add #[path = \"{file}\"] mod tests;"),
            ));
        }
        if EMPTY_NAMES.contains(&stem) {
            out.push(finding(
                path,
                1,
                format!("\"{stem}\" says nothing: name the file after what it does"),
            ));
        }
    }
    out
}

fn is_included(workspace: &Workspace, dir: &str, file: &str) -> bool {
    let parent = dir.rsplit_once('/').map_or("", |(parent, _)| parent);
    let near = workspace.rust.iter().filter(|(path, _)| {
        let at = path.rsplit_once('/').map_or("", |(at, _)| at);
        at == dir || at == parent
    });
    let stem = file.trim_end_matches(".rs");
    near.into_iter().any(|(_, source)| {
        source.text.contains(&format!("{file}\"]")) || find_word(&source.code, &format!("mod {stem}")).next().is_some()
    })
}

#[cfg(test)]
#[path = "layout_test.rs"]
mod tests;
