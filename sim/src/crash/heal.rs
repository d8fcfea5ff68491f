//! Damaged rows are healed from a peer: the undisturbed replica.

use covey_embeddings::{Repaired, Step};
use covey_shared::ids::PostId;
use covey_store::test_disk::TestDisk;

use super::lives::Lives;
use super::process::Process;
use super::promises::Promises;

impl Lives {
    /// Repairs what searches called damaged, merges what can be merged, and ends the process somewhere in between. The next
    /// one finds all answers right, or the same rows damaged, to be repaired again.
    ///
    /// # Errors
    /// What is broken.
    pub(super) fn heal(&mut self, process: Process, disk: &TestDisk, promises: Promises) -> Result<(), String> {
        let (mut process, mut disk) = (process, disk.copy());
        for steps in [0, 1, 40] {
            self.repair(&mut process)?;
            for _ in 0..steps {
                match process.maintain() {
                    Ok(Step::Idle) => break,
                    Ok(_) => {}
                    Err(error) => return Err(format!("maintenance after a repair: {error:#}")),
                }
            }
            drop(process);
            disk = disk.copy();
            process = self.restart(&disk, &promises)?;
        }
        let damaged = process.scrub();
        if !damaged.is_empty() {
            return Err(format!("still damaged after a repair: {damaged:?}"));
        }
        let answers = process.answers().map_err(|error| format!("{error:#}"))?;
        let expected = self.oracle.answers_at(promises.log(), process.applied());
        let expected = expected.map_err(|error| format!("the oracle failed: {error:#}"))?;
        if answers.reports_damage() {
            return Err("searches report damage after a repair".into());
        }
        answers.check(&expected).and_then(|()| answers.check_hash(&expected))?;
        self.figures.healed += 1;
        Ok(())
    }

    fn repair(&mut self, process: &mut Process) -> Result<(), String> {
        let damaged = process.scrub();
        let posts: Vec<PostId> = damaged.iter().map(|row| row.post).collect();
        let copies = self.oracle.rows_of(&posts).map_err(|error| format!("{error:#}"))?;
        for (row, copy) in damaged.iter().zip(copies) {
            let outcome = copy.map(|copy| process.repair(row, &copy));
            if outcome != Some(Repaired::Done) {
                return Err(format!("{row:?} is damaged and was not repaired: {outcome:?}"));
            }
        }
        process.rewrite(&damaged);
        Ok(())
    }

    fn restart(&mut self, disk: &TestDisk, promises: &Promises) -> Result<Process, String> {
        let started = Process::start(self.machine(disk));
        let (mut process, _) = started.map_err(|error| format!("no start after a repair: {error:#}"))?;
        let to = promises.committed().max(process.applied());
        let applied = process.apply(promises.log(), to);
        applied.map_err(|error| format!("no apply after a repair: {error:#}"))?;
        Ok(process)
    }
}
