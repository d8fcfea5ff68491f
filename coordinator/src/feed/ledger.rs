//! What the reads of one request say about themselves, collected from components that run in parallel.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use covey_pipeline::ComponentError;
use parking_lot::Mutex;

use crate::cluster::{Gathered, ReadError, ReadReport};
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
    /// Work of the shards for each component.
    pub(crate) cost: BTreeMap<&'static str, Duration>,
}

impl Account {
    fn absorb(&mut self, component: &'static str, report: &ReadReport) {
        self.report.absorb(report);
        *self.cost.entry(component).or_default() += report.cost;
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
        match answer {
            Ok(gathered) => {
                self.read(component, &gathered.report);
                Ok(gathered.value)
            }
            Err(unanswered) => {
                self.0.lock().absorb(component, &unanswered.report);
                let reason = match &unanswered.error {
                    ReadError::NoAnswer { .. } => "no_answer",
                    ReadError::Invalid(_) => "invalid_request",
                };
                Err(ComponentError::caused_by(reason, unanswered))
            }
        }
    }

    fn read(&self, component: &'static str, report: &ReadReport) {
        let mut account = self.0.lock();
        if !report.missing_shards.is_empty() {
            let reason = "shards_missing";
            account.notes.insert(Note { component, reason });
        } else if report.partial {
            let reason = "partial";
            account.notes.insert(Note { component, reason });
        }
        account.absorb(component, report);
    }

    pub(crate) fn note(&self, component: &'static str, reason: &'static str) {
        self.0.lock().notes.insert(Note { component, reason });
    }

    /// Cuts `list` to `most` entries; what is cut off is noted and logged.
    pub(crate) fn cut<T>(&self, component: &'static str, reason: &'static str, list: &mut Vec<T>, most: usize) {
        if list.len() > most {
            tracing::warn!(
                component,
                reason,
                given = list.len(),
                most,
                "a list is longer than allowed and was cut"
            );
            list.truncate(most);
            self.note(component, reason);
        }
    }

    pub(crate) fn account(&self) -> Account {
        self.0.lock().clone()
    }
}
