//! What can be wrong with a configuration, all of it at once.

use std::fmt;
use std::path::PathBuf;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A line of the file, counted from 1.
    Line(usize),
    /// An environment variable.
    Env(String),
    /// What an operator has set, by its key.
    Setting(String),
    /// The file as a whole: a key that is missing, or two keys that disagree.
    File,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Env(name) => write!(f, "environment {name}"),
            Self::Setting(key) => write!(f, "setting {key}"),
            Self::File => write!(f, "file"),
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where the value was written.
    pub origin: Origin,
    /// Full path of the key, `raft.tick`; empty for a syntax error.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Problem {
    /// The line of the file, if the problem has one.
    pub fn line(&self) -> Option<usize> {
        match self.origin {
            Origin::Line(line) => Some(line),
            _ => None,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.origin)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}", self.message)
    }
}

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Every problem that was found, file order first, then the environment.
    #[error("{}", list(name, problems))]
    Invalid {
        /// Name of the file, as given.
        name: String,
        /// At least one.
        problems: Vec<Problem>,
    },
}

impl ConfigError {
    /// The problems found; empty if the file could not be read at all.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Read { .. } => &[],
            Self::Invalid { problems, .. } => problems,
        }
    }
}

/// Most problems in one text.
const SHOWN: usize = 50;

fn list(name: &str, problems: &[Problem]) -> String {
    let count = match problems.len() {
        1 => "1 problem".to_owned(),
        n => format!("{n} problems"),
    };
    let mut text = format!("{name}: {count}");
    for problem in problems.iter().take(SHOWN) {
        text.push_str(&format!("\n  {problem}"));
    }
    if problems.len() > SHOWN {
        text.push_str(&format!("\n  and {} more", problems.len() - SHOWN));
    }
    text
}
