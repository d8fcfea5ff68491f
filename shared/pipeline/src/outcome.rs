//! What a run is asked, and what it returns.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::{Candidate, CandidateTrace, Report, RequestId, Stage};

/// What one run is asked.
#[derive(Clone, Debug)]
pub struct Request<Q, Id> {
    /// The query, as it came.
    pub query: Q,
    /// Identity of the request, in logs and the report.
    pub request_id: RequestId,
    /// When the reply must be ready, on the scale of [`Timer::now`](crate::Timer::now).
    pub deadline: Duration,
    /// Wanted number of results, if fewer than [`Limits::result_size`](crate::Limits::result_size).
    pub result_size: Option<usize>,
    /// Identities to follow through the run for `explain`. The caller bounds their number.
    pub watch: BTreeSet<Id>,
}

impl<Q, Id> Request<Q, Id> {
    /// A request for the configured number of results that watches no candidate.
    #[must_use]
    pub fn new(query: Q, request_id: RequestId, deadline: Duration) -> Self {
        Self {
            query,
            request_id,
            deadline,
            result_size: None,
            watch: BTreeSet::new(),
        }
    }
}

/// A candidate that was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed<C> {
    /// The candidate, as it was then.
    pub candidate: C,
    /// Stage that removed it.
    pub stage: Stage,
    /// Round of backfill; 0 is the run proper.
    pub round: u32,
    /// Filter, or required hydrator, that removed it.
    pub component: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// Where a candidate ended. Positions count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// In the reply, at this position.
    Selected(usize),
    /// In the reserve, at this position.
    Reserved(usize),
    /// Removed.
    Removed {
        /// Stage that removed it.
        stage: Stage,
        /// Component that removed it.
        component: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// Never a candidate, or cut off beyond a source's limit.
    NotRetrieved,
}

/// The result of a run. The three lists and `removed` share out the candidates: each is in exactly one of them.
#[derive(Debug)]
pub struct Outcome<Q, C: Candidate> {
    /// The query, hydrated.
    pub query: Arc<Q>,
    /// The results, best first.
    pub selected: Arc<Vec<C>>,
    /// Ranked candidates that were not selected, best first: a next page resumes from them.
    pub reserve: Arc<Vec<C>>,
    /// Candidates that were removed, in the order of removal.
    pub removed: Vec<Removed<C>>,
    /// What each component did.
    pub report: Report,
    /// What happened to the watched identities, one entry each, by identity.
    pub traces: Vec<CandidateTrace<C::Id>>,
}

impl<Q, C: Candidate> Outcome<Q, C> {
    /// All candidates, each with its removal if it was removed. Of several copies of one, that which came furthest is the last.
    pub fn candidates(&self) -> impl Iterator<Item = (&C, Option<&Removed<C>>)> {
        let removed = self.removed.iter().map(|removed| (&removed.candidate, Some(removed)));
        let ranked = self.reserve.iter().chain(self.selected.iter());
        removed.chain(ranked.map(|candidate| (candidate, None)))
    }

    /// Where the candidate with this identity ended, watched or not. If a duplicate of it was removed and another
    /// copy went on, this is where the one that came furthest ended.
    pub fn fate(&self, id: &C::Id) -> Fate {
        let position = |list: &[C]| list.iter().position(|candidate| candidate.id() == *id).map(|i| i + 1);
        if let Some(position) = position(&self.selected) {
            return Fate::Selected(position);
        }
        if let Some(position) = position(&self.reserve) {
            return Fate::Reserved(position);
        }
        match self.removed.iter().rev().find(|removed| removed.candidate.id() == *id) {
            Some(removed) => Fate::Removed {
                stage: removed.stage,
                component: removed.component,
                reason: removed.reason,
            },
            None => Fate::NotRetrieved,
        }
    }
}
