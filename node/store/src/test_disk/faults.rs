//! What goes wrong, and when: faults are planned by the number of an operation.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::conformance::Seeded;

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The power is lost during the operation: what it changes is not synced, and all later operations fail.
    PowerLoss,
    /// As [`Fault::PowerLoss`], but so many operations after a rename: there, files are put in the place of others.
    PowerLossAfterRename {
        /// Operations in between, few.
        after: u64,
    },
    /// The process is killed during the operation: all later operations of it fail, and nothing is lost as long as the
    /// machine keeps its power.
    Kill,
    /// The operation fails. Of a write, some may have been done; a failed sync has lost what it did not write.
    Error,
    /// There is no room for this and as many of the next operations that need some.
    Full {
        /// Further operations that fail.
        more: u64,
    },
    /// A read has one wrong bit. On the platter all is well.
    FlippedRead,
}

/// A fault that has struck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// Which.
    pub fault: Fault,
    /// Number of the operation.
    pub operation: u64,
    /// What was tried.
    pub what: &'static str,
    /// On which file or directory.
    pub path: PathBuf,
}

/// What an operation does, as far as faults care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    /// Needs room: a write, a greater length.
    Grow,
    /// Needs room too: a new name.
    Name,
    /// Needs room too: a name for another.
    Rename,
    Sync,
    Remove,
}

/// How an operation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Go,
    /// It is done, and then the power is lost.
    GoThenOff,
    Fail(ErrorKind),
    /// Which bit of what was read is wrong, modulo their number.
    Flip(u64),
}

#[derive(Default)]
pub(super) struct Faults {
    operations: u64,
    /// The last rename.
    renamed: Option<u64>,
    planned: Vec<(u64, Fault)>,
    full_for: u64,
    off: bool,
    happened: Vec<Happened>,
}

fn is_off() -> io::Error {
    io::Error::other("the power is lost, or the process was killed")
}

impl Kind {
    fn needs_room(self) -> bool {
        matches!(self, Kind::Grow | Kind::Name | Kind::Rename)
    }
}

impl Fault {
    fn fits(self, kind: Kind, since_rename: Option<u64>) -> bool {
        match self {
            Fault::PowerLoss | Fault::Kill | Fault::Error => true,
            Fault::PowerLossAfterRename { after } => since_rename == Some(after),
            Fault::Full { .. } => kind.needs_room(),
            Fault::FlippedRead => kind == Kind::Read,
        }
    }
}

impl Faults {
    pub(super) fn new(planned: impl IntoIterator<Item = (u64, Fault)>) -> Faults {
        Faults {
            planned: planned.into_iter().collect(),
            ..Faults::default()
        }
    }

    pub(super) fn happened(&self) -> &[Happened] {
        &self.happened
    }

    pub(super) fn is_off(&self) -> bool {
        self.off
    }

    pub(super) fn operations(&self) -> u64 {
        self.operations
    }

    /// Counts an operation and says how it ends.
    pub(super) fn begin(&mut self, kind: Kind, what: &'static str, path: &Path) -> io::Result<Verdict> {
        if self.off {
            return Err(is_off());
        }
        self.operations += 1;
        if kind == Kind::Rename {
            self.renamed = Some(self.operations);
        }
        if self.full_for > 0 && kind.needs_room() {
            self.full_for -= 1;
            return Ok(Verdict::Fail(ErrorKind::StorageFull));
        }
        let since_rename = self.renamed.map(|renamed| self.operations - renamed);
        let due = |(at, fault): &(u64, Fault)| *at <= self.operations && fault.fits(kind, since_rename);
        let Some(position) = self.planned.iter().position(due) else {
            return Ok(Verdict::Go);
        };
        let (_, fault) = self.planned.remove(position);
        self.happened.push(Happened {
            fault,
            operation: self.operations,
            what,
            path: path.to_owned(),
        });
        Ok(match fault {
            Fault::PowerLoss | Fault::PowerLossAfterRename { .. } | Fault::Kill => {
                self.off = true;
                Verdict::GoThenOff
            }
            Fault::Error => Verdict::Fail(ErrorKind::Other),
            Fault::Full { more } => {
                self.full_for = more;
                Verdict::Fail(ErrorKind::StorageFull)
            }
            Fault::FlippedRead => Verdict::Flip(Seeded::new(self.operations).next()),
        })
    }
}

impl Verdict {
    /// The result of an operation that was done.
    pub(super) fn end(self) -> io::Result<()> {
        match self {
            Verdict::Go | Verdict::Flip(_) => Ok(()),
            Verdict::GoThenOff => Err(is_off()),
            Verdict::Fail(kind) => Err(kind.into()),
        }
    }
}

impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Happened {
            fault,
            operation,
            what,
            path,
        } = self;
        write!(f, "{fault:?} at operation {operation}, {what} {}", path.display())
    }
}
