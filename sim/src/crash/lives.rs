//! The lives of a replica: each begins with a recovery and ends by a fault or a stop.

use std::hash::Hasher;

use anyhow::anyhow;
use covey_embeddings::Step;
use covey_store::log::RecoveredGroup;
use covey_store::test_disk::{Fault, TestDisk};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use xxhash_rust::xxh3::Xxh3;

use super::damage::damage;
use super::oracle::Oracle;
use super::process::{Machine, Process};
use super::promises::Promises;
use super::settings::Settings;
use super::{CrashFigures, CrashOutcome, CrashPlan};

/// Why a step did not end well.
pub(super) enum Stop {
    /// The process has to end, as a node would.
    Process(anyhow::Error),
    /// An answer is wrong, or a promise broken.
    Broken(String),
}

impl<E: Into<anyhow::Error>> From<E> for Stop {
    fn from(error: E) -> Stop {
        Stop::Process(error.into())
    }
}

/// How a life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Stopped,
    Error,
    Killed,
    PowerLoss,
}

/// One run.
pub(super) struct Lives {
    pub(super) plan: CrashPlan,
    pub(super) rng: SmallRng,
    settings: Settings,
    pub(super) disk: TestDisk,
    pub(super) promises: Promises,
    pub(super) oracle: Oracle,
    pub(super) figures: CrashFigures,
    trace: Xxh3,
    story: Vec<String>,
    pub(super) place: String,
    /// The life before ended by a stop: nothing that was acknowledged is in doubt.
    calm: bool,
    /// Damage was found to change nothing and left where it is.
    pub(super) rotten: bool,
}

impl Lives {
    pub(super) fn new(plan: CrashPlan) -> Lives {
        let mut rng = SmallRng::seed_from_u64(plan.seed);
        let settings = Settings::random(&mut rng).expect("the settings are possible");
        Lives {
            oracle: Oracle::new(&settings).expect("a disk without faults"),
            plan,
            rng,
            settings,
            disk: TestDisk::new(),
            promises: Promises::default(),
            figures: CrashFigures::default(),
            trace: Xxh3::new(),
            story: Vec::new(),
            place: String::new(),
            calm: true,
            rotten: false,
        }
    }

    pub(super) fn into_outcome(self, violation: Option<String>) -> CrashOutcome {
        let happened = self.disk.happened();
        let faults: Vec<String> = happened.iter().map(ToString::to_string).collect();
        let place = |what: String| {
            let faults = if faults.is_empty() {
                "none".into()
            } else {
                faults.join("; ")
            };
            format!(
                "{}: {what} (operation {}, faults: {faults})",
                self.place,
                self.disk.operations()
            )
        };
        CrashOutcome {
            seed: self.plan.seed,
            trace_hash: self.trace.digest(),
            figures: self.figures,
            violation: violation.map(place),
            story: self.story,
        }
    }

    /// # Errors
    /// What is broken.
    pub(super) fn run(&mut self) -> Result<(), String> {
        let lives = self.rng.random_range(3..=6);
        for life in 1..=lives {
            let last = life == lives;
            let faults = if last { Vec::new() } else { self.random_faults() };
            self.tell(format!("life {life}, start"), &format!("planned: {faults:?}"));
            self.disk.plan(faults);
            let end = match self.live(life) {
                Ok(()) => End::Stopped,
                Err(Stop::Broken(what)) => return Err(what),
                Err(Stop::Process(error)) => self.judge(error)?,
            };
            if !last {
                self.end(end)?;
            }
        }
        Ok(())
    }

    /// Notes where the run is. The hash takes in how far the disk got, so that two ways of a seed do not look alike.
    pub(super) fn tell(&mut self, place: String, what: &str) {
        self.trace.write(place.as_bytes());
        self.trace.write(what.as_bytes());
        self.trace.write_u64(self.disk.operations());
        if self.plan.story {
            self.story
                .push(format!("{place}: {what} (operation {})", self.disk.operations()));
        }
        self.place = place;
    }

    fn random_faults(&mut self) -> Vec<(u64, Fault)> {
        let horizon = *[12, 60, 200, 800].choose(&mut self.rng).expect("four horizons");
        let at = self.rng.random_range(1..=horizon);
        let later = at + self.rng.random_range(1..=horizon);
        match self.rng.random_range(0..100) {
            0..30 => vec![(at, Fault::PowerLoss)],
            30..48 => {
                let after = self.rng.random_range(0..5);
                vec![(at, Fault::PowerLossAfterRename { after })]
            }
            48..58 => vec![(at, Fault::Kill)],
            58..74 => vec![(at, Fault::Error), (later, Fault::PowerLoss)],
            74..84 => {
                let more = self.rng.random_range(0..20);
                vec![(at, Fault::Full { more }), (later, Fault::PowerLoss)]
            }
            // After a power loss a wrong bit in the last record looks like a write that was torn.
            84..92 if self.calm => vec![(at, Fault::FlippedRead)],
            _ => Vec::new(),
        }
    }

    /// An error is fine if the disk gave reason for it.
    fn judge(&mut self, error: anyhow::Error) -> Result<End, String> {
        let happened = self.disk.happened();
        let struck = !happened.is_empty();
        let place = self.place.clone();
        self.tell(place, &format!("the process ends: {error:#}"));
        let killed = happened.iter().any(|happened| happened.fault == Fault::Kill);
        if killed {
            Ok(End::Killed)
        } else if self.disk.is_off() {
            Ok(End::PowerLoss)
        } else if struck || self.rotten {
            Ok(End::Error)
        } else {
            Err(format!("the process ended without a fault of the disk: {error:#}"))
        }
    }

    /// From recovery to the end.
    fn live(&mut self, life: u32) -> Result<(), Stop> {
        let (mut process, found) = Process::start(self.machine(&self.disk))?;
        self.recover(&mut process, &found)?;
        let steps = self.rng.random_range(5..80);
        let segment = process.newest_segment();
        for step in 1..=steps {
            let what = self.step(&mut process)?;
            self.tell(format!("life {life}, step {step}"), what);
            if self.disk.is_off() {
                return Err(anyhow!("the power is lost").into());
            }
        }
        self.figures.segments += process.newest_segment() - segment;
        Ok(())
    }

    pub(super) fn machine<'a>(&'a self, disk: &'a TestDisk) -> Machine<'a> {
        Machine {
            disk,
            settings: &self.settings,
            bug: self.plan.bug,
        }
    }

    /// Promises are kept, the rest of the log is applied, and the answers are right.
    fn recover(&mut self, process: &mut Process, found: &RecoveredGroup) -> Result<(), Stop> {
        self.promises.recover(found).map_err(Stop::Broken)?;
        if self.rng.random_bool(0.8) {
            self.promises.commit();
        }
        while process.applied() < self.promises.committed() {
            self.apply(process)?;
        }
        self.compare(process)
    }

    /// What lies on the disk when the next life begins.
    fn end(&mut self, end: End) -> Result<(), String> {
        // The machine may go down with the process, or later.
        let goes_down = end == End::PowerLoss || (end == End::Error && self.rng.random_bool(0.5));
        match end {
            End::Stopped => self.figures.stops += 1,
            End::Error => self.figures.errors += 1,
            End::Killed => self.figures.kills += 1,
            End::PowerLoss => self.figures.power_losses += 1,
        }
        self.calm = end == End::Stopped && self.disk.happened().is_empty();
        if goes_down {
            self.disk = self.after_power_loss();
        } else if self.calm && self.rng.random_bool(0.7) {
            self.disk.plan([]);
            self.rot()?;
        }
        Ok(())
    }

    fn after_power_loss(&mut self) -> TestDisk {
        let sector = if self.rng.random_bool(0.5) { 512 } else { 4096 };
        let rng = &mut self.rng;
        // All or nothing, a prefix of what was written, or any subset.
        match rng.random_range(0..4) {
            0 => self.disk.after_power_loss_of(sector, || false),
            1 => self.disk.after_power_loss_of(sector, || true),
            2 => {
                let mut kept = rng.random_range(0..40);
                self.disk.after_power_loss_of(sector, || {
                    kept -= i64::from(kept > 0);
                    kept > 0
                })
            }
            _ => {
                let luck = rng.random_range(0.1..0.9);
                self.disk.after_power_loss_of(sector, || rng.random_bool(luck))
            }
        }
    }

    /// Something rots while nothing runs. A start must refuse it, repair it, or give the same answers.
    fn rot(&mut self) -> Result<(), String> {
        let damaged = self.disk.copy();
        let what = damage(&damaged, &mut self.rng);
        let place = self.place.clone();
        let trial = damaged.copy();
        let verdict = self.try_damaged(&trial).map_err(|broken| format!("{what}: {broken}"))?;
        self.tell(place, &format!("{what}: {verdict:?}"));
        if verdict.is_some() {
            self.figures.detected += 1;
        } else {
            self.figures.harmless += 1;
            if self.rng.random_bool(0.5) {
                (self.disk, self.rotten) = (damaged, true);
            }
        }
        Ok(())
    }

    /// How the damage was detected; `None` if it changed nothing.
    fn try_damaged(&mut self, disk: &TestDisk) -> Result<Option<String>, String> {
        let (mut process, found) = match Process::start(self.machine(disk)) {
            Ok(started) => started,
            Err(refused) => return Ok(Some(format!("{refused:#}"))),
        };
        let mut promises = self.promises.clone();
        promises.recover(&found)?;
        let committed = promises.committed();
        for round in 0..2 {
            if let Err(refused) = process.apply(promises.log(), committed.max(process.applied())) {
                return Ok(Some(format!("{refused:#}")));
            }
            let answers = match process.answers() {
                Ok(answers) => answers,
                Err(refused) => return Ok(Some(format!("{refused:#}"))),
            };
            let expected = self.oracle.answers_at(promises.log(), process.applied());
            let expected = expected.map_err(|error| format!("the oracle failed: {error:#}"))?;
            answers.check(&expected)?;
            if answers.reports_damage() || !process.scrub().is_empty() {
                self.heal(process, disk, promises)?;
                return Ok(Some("rows were damaged, and made good".into()));
            }
            // A row of a post that is hidden but not yet removed is in no answer, but in the hash.
            if let Err(differs) = answers.check_hash(&expected) {
                return Ok(Some(differs));
            }
            // Repairs, and copies what merges take.
            for _ in 0..20 * (1 - round) {
                match process.maintain() {
                    Ok(Step::Idle) => break,
                    Ok(_) => {}
                    Err(refused) => return Ok(Some(format!("{refused:#}"))),
                }
            }
        }
        Ok(None)
    }
}
