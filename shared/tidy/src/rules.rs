//! The rules, one function each: workspace in, findings out.

pub mod banned;
pub mod dependencies;
pub mod layout;
pub mod licences;
pub mod lock;
pub mod sizes;
pub mod text;

use crate::workspace::{Finding, Workspace};

/// A rule.
pub type Rule = fn(&Workspace) -> Vec<Finding>;

/// Every rule with its name.
pub const ALL: [(&str, Rule); 17] = [
    ("a file has at most 400 lines", sizes::files),
    ("a function has at most 70 lines and 6 parameters", sizes::functions),
    ("19 of 20 functions have at most 40 lines", sizes::most_functions),
    ("time, chance, files, network and threads come from Env", banned::seams),
    ("queues are bounded", banned::unbounded),
    ("unsafe code lives in two modules", banned::unsafe_code),
    ("nothing is left half done", banned::unfinished),
    ("crates depend in one direction", dependencies::directions),
    ("a dependency says why it is there", dependencies::reasons),
    (
        "a crate lists what it uses, by the workspace's version",
        dependencies::used,
    ),
    ("a panic unwinds", dependencies::panics),
    ("one version of OpenTelemetry", lock::opentelemetry),
    ("a duplicate in Cargo.lock has a reason", lock::duplicates),
    ("every file says what it is", text::first_line),
    ("a TODO names its point of the roadmap", text::todo),
    ("no path of one machine", text::machine_paths),
    ("tests stand beside the code and run", layout::tests_beside),
];
