//! Files and functions that fit a screen and a head.

use crate::shape::functions as functions_of;
use crate::workspace::{Finding, Workspace, finding};

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 70;
const MOST_FUNCTION_LINES: usize = 40;
const PARAMETERS: usize = 6;

/// A source file has at most 400 lines.
pub fn files(workspace: &Workspace) -> Vec<Finding> {
    let sources = workspace
        .texts()
        .filter(|(path, _)| [".rs", ".cpp"].iter().any(|end| path.ends_with(end)));
    let long = sources.filter(|(_, text)| text.lines().count() > FILE_LINES);
    long.map(|(path, text)| {
        let lines = text.lines().count();
        finding(
            path,
            FILE_LINES,
            format!("{lines} lines; split it: a file has at most {FILE_LINES}"),
        )
    })
    .collect()
}

/// A function has at most 70 lines of code and 6 parameters.
pub fn functions(workspace: &Workspace) -> Vec<Finding> {
    let mut out = Vec::new();
    for (path, source) in &workspace.rust {
        for f in functions_of(source) {
            if f.lines > FUNCTION_LINES {
                let message = format!(
                    "{} has {} lines; split it: a function has at most {FUNCTION_LINES}",
                    f.name, f.lines
                );
                out.push(finding(path, f.line, message));
            }
            if f.parameters > PARAMETERS {
                let message = format!(
                    "{} has {} parameters; group them in a struct: at most {PARAMETERS}",
                    f.name, f.parameters
                );
                out.push(finding(path, f.line, message));
            }
        }
    }
    out
}

/// 95 % of all functions have at most 40 lines. Names the longest ones if not.
pub fn most_functions(workspace: &Workspace) -> Vec<Finding> {
    let mut all: Vec<_> = Vec::new();
    for (path, source) in &workspace.rust {
        all.extend(
            functions_of(source)
                .into_iter()
                .filter(|f| f.lines > 0)
                .map(|f| (f.lines, path, f)),
        );
    }
    let allowed = all.len() / 20;
    let mut long: Vec<_> = all
        .into_iter()
        .filter(|(lines, ..)| *lines > MOST_FUNCTION_LINES)
        .collect();
    if long.len() <= allowed {
        return Vec::new();
    }
    long.sort_by_key(|(lines, ..)| *lines);
    let excess = long.len() - allowed;
    let advice = |f: &str, lines| {
        format!("{f} has {lines} lines; more than 1 of 20 functions has over {MOST_FUNCTION_LINES}: shorten it")
    };
    long.into_iter()
        .take(excess)
        .map(|(lines, path, f)| finding(path, f.line, advice(&f.name, lines)))
        .collect()
}

#[cfg(test)]
#[path = "sizes_test.rs"]
mod tests;
