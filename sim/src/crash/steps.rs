//! What a process does between its recovery and its end, step by step at random.

use covey_embeddings::Step;
use covey_store::log::{EntryKind, HardState, LogBatch, LogEntry, LogPosition};
use covey_store::test_disk::Fault;
use rand::Rng;

use super::Bug;
use super::commands::random_proposal;
use super::lives::{Lives, Stop};
use super::process::{GROUP, Process};

/// Encoded entries of one append, at most: well below the smallest segment.
const APPEND_BYTES: usize = 3000;

impl Lives {
    pub(super) fn compare(&mut self, process: &Process) -> Result<(), Stop> {
        let answers = process.answers()?;
        let expected = self.oracle.answers_at(self.promises.log(), process.applied());
        let expected = expected.map_err(|error| Stop::Broken(format!("the oracle failed: {error:#}")))?;
        answers.check(&expected).map_err(Stop::Broken)?;
        let happened = self.disk.happened();
        let flipped = happened.iter().any(|happened| happened.fault == Fault::FlippedRead);
        if !flipped && !self.rotten {
            answers.check_hash(&expected).map_err(Stop::Broken)?;
        }
        if answers.reports_damage() && !flipped && !self.rotten {
            return Err(Stop::Broken("rows are damaged, though nothing damaged them".into()));
        }
        self.figures.compared += 1;
        Ok(())
    }

    pub(super) fn step(&mut self, process: &mut Process) -> Result<&'static str, Stop> {
        let before = process.newest_segment();
        let what = match self.rng.random_range(0..100) {
            0..30 => self.propose(process),
            30..50 => self.apply(process).map(|()| "apply"),
            50..66 => Ok(process.checkpoint()?),
            66..82 => self.maintain(process),
            82..87 => self.vote(process),
            87..95 => self.compact(process),
            95..98 => self.compare(process).map(|()| "compare"),
            _ => self.sync(process).map(|()| "sync the log"),
        };
        self.figures.segments += process.newest_segment() - before;
        what
    }

    fn propose(&mut self, process: &mut Process) -> Result<&'static str, Stop> {
        let mut batch = LogBatch::new();
        let (committed, last) = (self.promises.committed(), self.promises.last());
        let mut state = self.promises.hard_state();
        state.term = state.term.max(1);
        let mut first = last + 1;
        // A new leader replaces what its predecessor did not commit.
        if last > committed && self.rng.random_bool(0.2) {
            first = self.rng.random_range(committed + 1..=last);
            state.term += 1;
        }
        if state != self.promises.hard_state() {
            batch.hard_state(GROUP, state);
            self.promises.append_hard_state(state);
        }
        let run = self.random_run(first, state.term);
        self.promises.append(&run);
        batch.entries(GROUP, run);
        process.append(&batch)?;
        if self.rng.random_bool(0.85) {
            self.sync(process)?;
            return Ok("propose");
        }
        Ok("propose without a sync")
    }

    fn random_run(&mut self, first: u64, term: u64) -> Vec<LogEntry> {
        let mut run: Vec<LogEntry> = Vec::new();
        let mut bytes = 0;
        for index in first..first + self.rng.random_range(1..5) {
            let proposal = random_proposal(&mut self.rng, index);
            let empty = self.rng.random_bool(0.03);
            let data = if empty {
                Vec::new()
            } else {
                proposal.encode().expect("a small proposal can be encoded")
            };
            bytes += data.len();
            if bytes > APPEND_BYTES && !run.is_empty() {
                break;
            }
            run.push(LogEntry {
                index,
                term,
                kind: EntryKind::Normal,
                data: data.into(),
            });
        }
        run
    }

    fn sync(&mut self, process: &mut Process) -> Result<(), Stop> {
        let committed = self.promises.committed();
        process.sync()?;
        self.promises.sync();
        if self.rng.random_bool(0.9) {
            self.promises.commit();
        }
        self.figures.acknowledged += self.promises.committed() - committed;
        Ok(())
    }

    pub(super) fn apply(&mut self, process: &mut Process) -> Result<(), Stop> {
        let (applied, committed) = (process.applied(), self.promises.committed());
        let to = committed.min(applied + self.rng.random_range(1..9));
        Ok(process.apply(self.promises.log(), to)?)
    }

    /// A node logs a failed step and tries again later.
    fn maintain(&mut self, process: &Process) -> Result<&'static str, Stop> {
        let struck = self.disk.happened().len();
        match process.maintain() {
            Ok(Step::Idle) => Ok("nothing to maintain"),
            Ok(Step::Sealed { .. }) => Ok(self.maintained("seal")),
            Ok(Step::Indexed { .. }) => Ok(self.maintained("build an index again")),
            Ok(Step::Merged { .. }) => Ok(self.maintained("merge")),
            Ok(Step::Dropped { .. }) => Ok(self.maintained("drop")),
            Err(error) if struck == 0 && self.disk.happened().is_empty() => Err(error.into()),
            Err(error) => {
                self.figures.outlived += 1;
                let place = self.place.clone();
                self.tell(place, &format!("maintenance failed: {error:#}"));
                Ok("maintenance failed")
            }
        }
    }

    fn maintained(&mut self, what: &'static str) -> &'static str {
        self.figures.maintained += 1;
        what
    }

    fn vote(&mut self, process: &mut Process) -> Result<&'static str, Stop> {
        let known = self.promises.hard_state();
        let mut batch = LogBatch::new();
        let state = if self.rng.random_bool(0.5) {
            let state = HardState {
                term: known.term + 1,
                vote: self.rng.random_range(1..4),
                commit: self.promises.committed(),
            };
            batch.hard_state(GROUP, state);
            state
        } else {
            let state = HardState {
                commit: self.promises.committed(),
                ..known
            };
            batch.commit(GROUP, state);
            state
        };
        self.promises.append_hard_state(state);
        process.append(&batch)?;
        if batch.needs_sync() {
            self.sync(process)?;
            return Ok("vote");
        }
        Ok("note the commit index")
    }

    fn compact(&mut self, process: &mut Process) -> Result<&'static str, Stop> {
        let safe = match self.plan.bug {
            Some(Bug::CompactEarly) => process.applied(),
            _ => process.durable(),
        };
        let to = safe.saturating_sub(self.rng.random_range(0..4));
        if to <= self.promises.cut_to() {
            return Ok("nothing to compact");
        }
        let term = self.promises.log()[to as usize - 1].term;
        let mut batch = LogBatch::new();
        batch.compact(GROUP, LogPosition { index: to, term });
        self.promises.cut(to);
        process.append(&batch)?;
        Ok("compact the log")
    }
}
