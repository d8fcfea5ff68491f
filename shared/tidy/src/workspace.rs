//! The files that git tracks.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::scan::Source;

/// One broken rule: where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Path from the root of the repository.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// A finding.
pub fn finding(path: &str, line: usize, message: impl Into<String>) -> Finding {
    Finding {
        path: path.to_owned(),
        line,
        message: message.into(),
    }
}

/// Everything the rules look at.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    /// Rust files by path.
    pub rust: BTreeMap<String, Source>,
    /// All other text files by path, `Cargo.lock` too.
    pub other: BTreeMap<String, String>,
}

impl Workspace {
    /// Files by path and content: for samples.
    pub fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut workspace = Self::default();
        for (path, text) in files {
            workspace.add(path, text);
        }
        workspace
    }

    fn add(&mut self, path: &str, text: &str) {
        if path.ends_with(".rs") {
            self.rust.insert(path.to_owned(), Source::new(text));
        } else {
            self.other.insert(path.to_owned(), text.to_owned());
        }
    }

    /// Root of this repository. Asked at run time: clones may share one target directory.
    ///
    /// # Panics
    /// If cargo did not start this program.
    pub fn root() -> PathBuf {
        let here = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs and tests this crate");
        Path::new(&here).join("../..")
    }

    /// Reads the tracked files, and those that would be with the next commit. One that is tracked but deleted in the work tree is skipped, and so is what is not text.
    ///
    /// # Panics
    /// If git does not run here: without its list nobody knows what belongs to the project.
    pub fn tracked() -> Self {
        let root = Self::root();
        let listing = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(&root)
            .output();
        let listing = listing.expect("git runs in a clone of the repository");
        assert!(
            listing.status.success(),
            "git ls-files: {}",
            String::from_utf8_lossy(&listing.stderr)
        );
        let mut workspace = Self::default();
        for path in String::from_utf8_lossy(&listing.stdout).split_terminator('\0') {
            if let Ok(text) = std::fs::read_to_string(root.join(path)) {
                workspace.add(path, &text);
            }
        }
        workspace
    }

    /// Every text file: path and content.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        let rust = self
            .rust
            .iter()
            .map(|(path, source)| (path.as_str(), source.text.as_str()));
        rust.chain(self.other.iter().map(|(path, text)| (path.as_str(), text.as_str())))
    }

    /// The manifests of the member crates: folder and content.
    pub fn manifests(&self) -> impl Iterator<Item = (&str, &str)> {
        self.other
            .iter()
            .filter_map(|(path, text)| path.strip_suffix("/Cargo.toml").map(|dir| (dir, text.as_str())))
    }
}
