//! Where single candidates went, for `explain`.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{Candidate, Score, Stage};

/// One thing that happened to a watched candidate. Positions and ranks count from 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TraceEvent {
    /// A source found it.
    Found {
        /// Name of the source.
        source: &'static str,
        /// Position in what this source found.
        position: usize,
    },
    /// It came from the ranked reserve of an earlier run.
    Resumed {
        /// Position in the reserve.
        position: usize,
    },
    /// It was removed.
    Removed {
        /// Stage that removed it.
        stage: Stage,
        /// Component that removed it.
        component: &'static str,
        /// Why.
        reason: &'static str,
        /// Round of backfill; 0 is the run proper.
        round: u32,
    },
    /// A scorer that stores a single score has run.
    Scored {
        /// Name of the scorer.
        scorer: &'static str,
        /// Score after it.
        score: Score,
        /// Rank after it, among all candidates.
        rank: usize,
    },
    /// The selector has run.
    Ranked {
        /// Place in the slate, or behind the whole of it in the reserve. By [`crate::Selector::select`] as it comes that is the rank among
        /// all candidates; one that a selector takes besides stands before better ones of the reserve.
        rank: usize,
        /// Whether it made the slate.
        slate: bool,
    },
    /// It was taken from the reserve to fill up the slate.
    Backfilled {
        /// The round of backfill, from 1.
        round: u32,
    },
    /// It is in the reply.
    Selected {
        /// Position in the reply.
        position: usize,
    },
    /// It was left over for a next page.
    Reserved {
        /// Position in the reserve.
        position: usize,
    },
}

/// All that happened to the candidates with one identity, in order.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CandidateTrace<Id> {
    /// The identity asked for.
    pub id: Id,
    /// Empty: no source found it.
    pub events: Vec<TraceEvent>,
}

/// Notes events of the watched identities; costs nothing when there are none.
pub(crate) struct Tracer<Id> {
    watched: BTreeMap<Id, Vec<TraceEvent>>,
}

impl<Id: Ord + Clone> Tracer<Id> {
    pub fn new(watch: BTreeSet<Id>) -> Self {
        Self {
            watched: watch.into_iter().map(|id| (id, Vec::new())).collect(),
        }
    }

    pub fn note<C: Candidate<Id = Id>>(&mut self, candidate: &C, event: TraceEvent) {
        if self.watched.is_empty() {
            return;
        }
        if let Some(events) = self.watched.get_mut(&candidate.id()) {
            events.push(event);
        }
    }

    /// Notes an event that depends on the position in a list, from 1.
    pub fn note_positions<'c, C: Candidate<Id = Id>>(
        &mut self,
        candidates: impl IntoIterator<Item = &'c C>,
        event: impl Fn(usize) -> TraceEvent,
    ) {
        if self.watched.is_empty() {
            return;
        }
        for (i, candidate) in candidates.into_iter().enumerate() {
            self.note(candidate, event(i + 1));
        }
    }

    /// Notes score and rank by `step`; candidates without a score have no rank.
    pub fn note_ranks<C: Candidate<Id = Id>>(
        &mut self,
        scorer: &'static str,
        candidates: &[C],
        step: impl Fn(&C) -> Option<Score>,
    ) {
        if self.watched.is_empty() {
            return;
        }
        let mut ranked: Vec<(Score, &C)> = candidates.iter().filter_map(|c| Some((step(c)?, c))).collect();
        ranked.sort_by_key(|(score, _)| Reverse(*score));
        for (i, (score, candidate)) in ranked.into_iter().enumerate() {
            self.note(
                candidate,
                TraceEvent::Scored {
                    scorer,
                    score,
                    rank: i + 1,
                },
            );
        }
    }

    pub fn finish(self) -> Vec<CandidateTrace<Id>> {
        self.watched
            .into_iter()
            .map(|(id, events)| CandidateTrace { id, events })
            .collect()
    }
}

#[cfg(test)]
#[path = "trace_test.rs"]
mod tests;
