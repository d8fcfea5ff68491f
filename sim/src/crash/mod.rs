//! The crash matrix: one replica without a network, on a disk that loses power, tears writes, fails, fills up and flips
//! bits. What it holds after each recovery is compared with an undisturbed replica that applied the same entries.
//!
//! One seed: [`run`] → lives (`lives.rs`, `steps.rs`) of a process (`process.rs`), each ended by a fault or by a stop, each begun by
//! the recovery of a node's start → what was promised is still there (`promises.rs`) and answers are equal
//! (`answers.rs`, `oracle.rs`). Between a stop and a start bits may rot (`damage.rs`), and rows
//! heal (`heal.rs`).

mod answers;
mod bugs;
mod commands;
mod damage;
mod heal;
mod lives;
mod oracle;
mod process;
mod promises;
mod settings;
mod steps;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use bugs::Bug;

/// One run of the crash matrix.
#[derive(Clone, Copy, Debug)]
pub struct CrashPlan {
    /// Everything random comes from it.
    pub seed: u64,
    /// A defect that runs should find.
    pub bug: Option<Bug>,
    /// Whether to keep the story of the run.
    pub story: bool,
}

/// What runs went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CrashFigures {
    /// Power losses, starts among them.
    pub power_losses: u64,
    /// Processes that were killed.
    pub kills: u64,
    /// Processes that ended over an error of the disk.
    pub errors: u64,
    /// Errors of the disk that the process outlived.
    pub outlived: u64,
    /// Stops without a fault.
    pub stops: u64,
    /// Recoveries whose answers were compared.
    pub compared: u64,
    /// Entries that were acknowledged.
    pub acknowledged: u64,
    /// Damage that was refused with a typed error, or reported by a read.
    pub detected: u64,
    /// Damage that was then healed from another replica.
    pub healed: u64,
    /// Damage that changed no answer: unused bytes, or repaired.
    pub harmless: u64,
    /// Seals, index builds, merges and drops.
    pub maintained: u64,
    /// Segments of the log that were begun.
    pub segments: u64,
}

/// What one run showed.
#[derive(Clone, Debug)]
pub struct CrashOutcome {
    /// The seed.
    pub seed: u64,
    /// Equal for every run of the seed.
    pub trace_hash: u64,
    /// What it went through.
    pub figures: CrashFigures,
    /// What is broken, where; `None` = the run passed.
    pub violation: Option<String>,
    /// Line by line, if it was asked for.
    pub story: Vec<String>,
}

impl CrashPlan {
    /// A run of healthy code.
    pub fn new(seed: u64) -> CrashPlan {
        CrashPlan {
            seed,
            bug: None,
            story: false,
        }
    }
}

/// Runs one seed.
pub fn run(plan: CrashPlan) -> CrashOutcome {
    let mut lives = lives::Lives::new(plan);
    // A panic is a broken invariant: the run has failed, and where is still known.
    let violation = match catch_unwind(AssertUnwindSafe(|| lives.run())) {
        Ok(result) => result.err(),
        Err(panic) => Some(format!("panic: {}", panic_text(&*panic))),
    };
    lives.into_outcome(violation)
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
        .unwrap_or_default()
}

impl std::ops::AddAssign for CrashFigures {
    fn add_assign(&mut self, other: CrashFigures) {
        self.power_losses += other.power_losses;
        self.kills += other.kills;
        self.errors += other.errors;
        self.outlived += other.outlived;
        self.stops += other.stops;
        self.compared += other.compared;
        self.acknowledged += other.acknowledged;
        self.detected += other.detected;
        self.healed += other.healed;
        self.harmless += other.harmless;
        self.maintained += other.maintained;
        self.segments += other.segments;
    }
}

impl fmt::Display for CrashFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let crashes = self.power_losses + self.kills + self.errors;
        write!(
            f,
            "{crashes} crashes ({} power losses, {} kills, {} errors), {} errors outlived, {} stops, {} comparisons, {} entries \
             acknowledged, {} segments of the log, {} maintenance steps, damage: {} detected, {} of it healed from another replica, {} harmless",
            self.power_losses,
            self.kills,
            self.errors,
            self.outlived,
            self.stops,
            self.compared,
            self.acknowledged,
            self.segments,
            self.maintained,
            self.detected,
            self.healed,
            self.harmless
        )
    }
}

#[cfg(test)]
#[path = "crash_test.rs"]
mod tests;
