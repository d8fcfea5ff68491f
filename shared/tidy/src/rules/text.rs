//! What is written in files of any kind.

use crate::workspace::{Finding, Workspace, finding};

/// This crate has to name what it looks for.
const OURS: &str = "shared/tidy/src/";

/// Every Rust file starts with a `//!` line that says what it is for.
pub fn first_line(workspace: &Workspace) -> Vec<Finding> {
    let silent = workspace
        .rust
        .iter()
        .filter(|(_, source)| !source.text.starts_with("//! "));
    silent
        .map(|(path, _)| finding(path, 1, "start it with a `//!` line: what is this file for?"))
        .collect()
}

/// A TODO names its point of docs/roadmap.md: `TODO(roadmap 7)`.
pub fn todo(workspace: &Workspace) -> Vec<Finding> {
    let roadmap = workspace
        .other
        .get("docs/roadmap.md")
        .map(String::as_str)
        .unwrap_or_default();
    let mut out = Vec::new();
    for (path, source) in workspace.rust.iter().filter(|(path, _)| !path.starts_with(OURS)) {
        for (i, line) in source.comments.lines().enumerate() {
            let marks = ["TODO", "FIXME", "XXX", "HACK"]
                .iter()
                .filter(|mark| crate::scan::find_word(line, mark).next().is_some());
            if marks.count() > 0 && !points_at(line, roadmap) {
                out.push(finding(
                    path,
                    i + 1,
                    "do it now, or write TODO(roadmap N) with a point N in docs/roadmap.md",
                ));
            }
        }
    }
    out
}

fn points_at(line: &str, roadmap: &str) -> bool {
    let number = line
        .split("TODO(roadmap ")
        .nth(1)
        .and_then(|rest| rest.split(')').next());
    number.is_some_and(|n| n.parse::<u32>().is_ok() && roadmap.lines().any(|line| line.starts_with(&format!("{n}. "))))
}

/// A path of one machine works there and nowhere else.
pub fn machine_paths(workspace: &Workspace) -> Vec<Finding> {
    const FOREIGN: [&str; 5] = ["/root/", "/home/", "/work/", "/Users/", "/tmp/"];
    let mut out = Vec::new();
    for (path, text) in workspace.texts().filter(|(path, _)| !path.starts_with(OURS)) {
        for (i, line) in text.lines().enumerate() {
            for foreign in FOREIGN.iter().filter(|foreign| starts_a_path(line, foreign)) {
                out.push(finding(
                    path,
                    i + 1,
                    format!(
                        "{foreign}… is a path of one machine; take it from a flag, the config or a temporary folder"
                    ),
                ));
            }
        }
    }
    out
}

/// Not inside a longer path or an address: `docs/work/` is fine.
fn starts_a_path(line: &str, foreign: &str) -> bool {
    line.match_indices(foreign).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-~/}>".contains(c))
    })
}

#[cfg(test)]
#[path = "text_test.rs"]
mod tests;
