//! What the reads of one request say about themselves, collected from components that run in parallel.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use covey_pipeline::ComponentError;
use parking_lot::Mutex;

use crate::cluster::{Gathered, ReadReport};
use crate::feed::shards::Unanswered;

/// Something short of what was wanted: which component, and why. Both are few and static.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Note {
    pub(crate) component: &'static str,
    pub(crate) reason: &'static str,
}

/// Everything noted for one request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    /// Of all reads together.
    pub(crate) report: ReadReport,
    pub(crate) notes: BTreeSet<Note>,
    /// What the reads of each component cost.
    pub(crate) cost: BTreeMap<&'static str, Cost>,
}

/// What reads cost besides time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// Work of the shards.
    pub(crate) work: Duration,
    /// Bytes between this coordinator and the nodes.
    pub(crate) bytes: u64,
}

/// A shard did not answer, or not with all that it has, or a search of several failed.
const LACKING: [&str; 3] = ["shards_missing", "partial", "search_failed"];

impl Account {
    /// Of what the component read something is missing.
    pub(crate) fn lacks_answers(&self, component: &str) -> bool {
        let mut notes = self.notes.iter();
        notes.any(|note| note.component == component && LACKING.contains(&note.reason))
    }

    fn absorb(&mut self, component: &'static str, report: &ReadReport) {
        self.report.absorb(report);
        let cost = self.cost.entry(component).or_default();
        cost.work += report.cost;
        cost.bytes += report.bytes;
    }
}

/// Shared by the components that serve one request.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Account>);

impl Ledger {
    /// Takes the value out of an answer and notes how complete it was.
    ///
    /// # Errors
    /// Nobody answered.
    pub(crate) fn take<T>(
        &self,
        component: &'static str,
        answer: Result<Gathered<T>, Unanswered>,
    ) -> Result<T, ComponentError> {
        self.count(component, &answer);
        match answer {
            Ok(gathered) => {
                self.note_flaws(component, &gathered.report);
                Ok(gathered.value)
            }
            Err(unanswered) => Err(ComponentError::caused_by(unanswered.reason(), unanswered)),
        }
    }

    /// The same for a component that shares the answer with others. Who made the read has [counted](Self::count) it; each that takes
    /// it notes how complete it was.
    pub(crate) fn take_shared<'a, T>(
        &self,
        component: &'static str,
        answer: &'a Result<Gathered<T>, Arc<Unanswered>>,
    ) -> Result<&'a T, ComponentError> {
        match answer {
            Ok(gathered) => {
                self.note_flaws(component, &gathered.report);
                Ok(&gathered.value)
            }
            Err(unanswered) => Err(ComponentError::caused_by(unanswered.reason(), unanswered.clone())),
        }
    }

    /// Takes in what an answer says about itself, and what it cost, once.
    pub(crate) fn count<T>(&self, component: &'static str, answer: &Result<Gathered<T>, Unanswered>) {
        let report = match answer {
            Ok(gathered) => &gathered.report,
            Err(unanswered) => &unanswered.report,
        };
        self.0.lock().absorb(component, report);
    }

    fn note_flaws(&self, component: &'static str, report: &ReadReport) {
        if !report.missing_shards.is_empty() {
            self.note(component, "shards_missing");
        } else if report.partial {
            self.note(component, "partial");
        }
    }

    pub(crate) fn note(&self, component: &'static str, reason: &'static str) {
        self.0.lock().notes.insert(Note { component, reason });
    }

    /// Cuts a list of these components to `most` entries; what is cut off is noted and logged.
    pub(crate) fn cut<T>(&self, components: &[&'static str], reason: &'static str, list: &mut Vec<T>, most: usize) {
        if list.len() > most {
            tracing::warn!(
                ?components,
                reason,
                given = list.len(),
                most,
                "a list is longer than allowed and was cut"
            );
            list.truncate(most);
            components.iter().for_each(|component| self.note(component, reason));
        }
    }

    pub(crate) fn account(&self) -> Account {
        self.0.lock().clone()
    }
}
