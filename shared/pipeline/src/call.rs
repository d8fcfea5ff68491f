//! One call of one component: within its budget, in its span, counted and logged.

use std::collections::BTreeMap;
use std::error::Error;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use tracing::{Instrument, Span, field::Empty};

use crate::{Candidate, ComponentReport, Failure, QueryUpdate, Reply, Rows, RunContext, Stage, Status, Verdict};

/// Longest text of causes kept in a report.
const MAX_DETAIL_CHARS: usize = 300;
/// A component that is not required gets at most the time that is left divided by this. The rest is for those behind it: the run can do
/// without this one, and not without a required one that has no time.
const OPTIONAL_PART: u32 = 2;

/// What every component says of itself.
#[derive(Clone, Copy)]
pub(crate) struct Face {
    pub name: &'static str,
    pub enabled: bool,
    pub required: bool,
    pub budget: Duration,
}

impl Face {
    /// How long a call may take of a request that has so much time left.
    fn limit(&self, left: Duration) -> Duration {
        let share = if self.required { left } else { left / OPTIONAL_PART };
        self.budget.min(share)
    }
}

/// Reads the four common methods, which the traits repeat so that a component is one `impl` block.
macro_rules! face {
    ($component:expr, $query:expr) => {
        $crate::call::Face {
            name: $component.name(),
            enabled: $component.enable($query),
            required: $component.required(),
            budget: $component.budget(),
        }
    };
}
pub(crate) use face;

/// A stage and its round: 0 is the run proper, backfill counts from 1.
#[derive(Clone, Copy)]
pub(crate) struct At {
    pub stage: Stage,
    pub round: u32,
}

impl At {
    pub fn first(stage: Stage) -> Self {
        Self { stage, round: 0 }
    }

    pub fn span(self) -> Span {
        let stage = self.stage.as_str();
        tracing::info_span!("stage", otel.name = stage, stage, round = self.round)
    }
}

/// An answer that can be counted.
pub(crate) trait Answer {
    /// Rows that must match the candidates given, if the answer has any.
    fn rows(&self) -> Option<usize> {
        None
    }
    fn failed(&self) -> usize {
        0
    }
    fn output(&self) -> usize;
}

impl Answer for () {
    fn output(&self) -> usize {
        0
    }
}

impl<Q> Answer for QueryUpdate<Q> {
    fn output(&self) -> usize {
        1
    }
}

impl<C: Candidate> Answer for Vec<C> {
    fn output(&self) -> usize {
        self.len()
    }
}

impl<C> Answer for Rows<C> {
    fn rows(&self) -> Option<usize> {
        Some(self.len())
    }
    fn failed(&self) -> usize {
        Rows::failed(self).len()
    }
    fn output(&self) -> usize {
        self.len() - Rows::failed(self).len()
    }
}

impl Answer for Vec<Verdict> {
    fn rows(&self) -> Option<usize> {
        Some(self.len())
    }
    fn failed(&self) -> usize {
        self.iter()
            .filter(|verdict| matches!(verdict, Verdict::Unjudged(_)))
            .count()
    }
    fn output(&self) -> usize {
        self.iter().filter(|verdict| matches!(verdict, Verdict::Keep)).count()
    }
}

/// A component about to be called.
pub(crate) struct Call {
    pub at: At,
    pub face: Face,
    pub context: RunContext,
    input: usize,
}

/// A component that was called, or was not. `answer` is `None` if it was not.
pub(crate) struct Ended<T> {
    pub report: ComponentReport,
    pub answer: Option<Result<T, Failure>>,
}

impl Call {
    pub fn new(run: &RunContext, at: At, face: Face, input: usize) -> Self {
        Self {
            at,
            face,
            context: run.within(face.limit(run.time_left())),
            input,
        }
    }

    /// Side effects outlive the request and its deadline.
    pub fn detached(run: &RunContext, at: At, face: Face, input: usize) -> Self {
        Self {
            at,
            face,
            context: run.detached(face.budget),
            input,
        }
    }

    /// Calls it and waits, at most as long as its context says.
    pub async fn run<'a, T: Answer>(&'a self, start: impl FnOnce() -> Reply<'a, T> + Send) -> Ended<T> {
        if !self.face.enabled {
            return self.not_called(Status::Disabled);
        }
        if self.input == 0 && self.at.stage.needs_candidates() {
            return self.not_called(Status::Skipped("no_candidates"));
        }
        let span = tracing::info_span!(
            "component",
            otel.name = self.face.name,
            stage = self.at.stage.as_str(),
            component = self.face.name,
            round = self.at.round,
            input = self.input,
            output = Empty,
            rows_failed = Empty,
            status = Empty,
        );
        async {
            let started = self.context.now();
            let answer = limit(&self.context, start())
                .await
                .and_then(|answer| self.matching(answer));
            let ended = self.ended(answer, self.context.now().saturating_sub(started));
            self.observe(&ended);
            ended
        }
        .instrument(span)
        .await
    }

    fn matching<T: Answer>(&self, answer: T) -> Result<T, Failure> {
        match answer.rows() {
            Some(got) if got != self.input => Err(Failure::LengthMismatch {
                expected: self.input,
                got,
            }),
            _ => Ok(answer),
        }
    }

    fn not_called<T>(&self, status: Status) -> Ended<T> {
        Ended {
            report: self.report(status),
            answer: None,
        }
    }

    fn ended<T: Answer>(&self, answer: Result<T, Failure>, took: Duration) -> Ended<T> {
        let report = match &answer {
            Ok(good) => ComponentReport {
                output: good.output(),
                rows_failed: good.failed(),
                ..self.report(Status::Ok)
            },
            Err(Failure::TimedOut { .. }) => self.report(Status::TimedOut),
            Err(failure) => self.report(Status::Failed {
                reason: failure.reason(),
                detail: chain(failure),
            }),
        };
        Ended {
            report: ComponentReport { took, ..report },
            answer: Some(answer),
        }
    }

    /// An entry without counts.
    pub fn report(&self, status: Status) -> ComponentReport {
        ComponentReport {
            stage: self.at.stage,
            round: self.at.round,
            component: self.face.name,
            status,
            input: self.input,
            output: 0,
            removed: BTreeMap::new(),
            rows_failed: 0,
            took: Duration::ZERO,
        }
    }

    /// Called inside the component's span.
    fn observe<T>(&self, ended: &Ended<T>) {
        let report = &ended.report;
        let span = Span::current();
        span.record("output", report.output);
        span.record("rows_failed", report.rows_failed);
        span.record("status", report.status.as_str());
        if let Some(Err(failure)) = &ended.answer {
            tracing::warn!(
                request_id = %self.context.request_id(),
                stage = self.at.stage.as_str(),
                component = self.face.name,
                required = self.face.required,
                reason = failure.reason(),
                error = chain(failure),
                "component failed"
            );
        }
    }
}

/// Waits for `reply` until the deadline of its context, then drops it. A reply that is there at the first poll counts
/// even when no time is left: it cost none, and it may be the one that makes the answer safe.
async fn limit<T>(context: &RunContext, reply: Reply<'_, T>) -> Result<T, Failure> {
    let limit = context.time_left();
    // Made at its first poll: most filters are ready before it, and need no timer.
    let time_up = pin!(async { context.sleep(limit).await });
    match select(reply, time_up).await {
        Either::Left((answer, _)) => answer.map_err(Failure::Component),
        Either::Right(((), _overrun)) => Err(Failure::TimedOut { limit }),
    }
}

/// An error and its causes as one line.
fn chain(failure: &Failure) -> String {
    let mut text = failure.to_string();
    let mut cause = failure.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    match text.char_indices().nth(MAX_DETAIL_CHARS) {
        Some((end, _)) => text[..end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
#[path = "call_test.rs"]
mod tests;
