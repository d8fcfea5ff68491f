//! One run: the order of the stages.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument;

use crate::call::{At, Call, Face, face};
use crate::trace::{TraceEvent, Tracer};
use crate::{
    Candidate, Components, Failure, Limits, Outcome, PipelineError, Removed, Report, RunContext, Selection, Stage,
    StageReport, Status,
};

mod candidates;
mod query;
mod slate;

/// Where the candidates of a run come from.
pub(crate) enum Start<C> {
    Sources,
    /// Ranked by an earlier run.
    Reserve(Vec<C>),
}

/// A required component failed.
pub(crate) struct Stop {
    stage: Stage,
    component: &'static str,
    failure: Failure,
}

/// The state of one run besides the query and the candidates.
pub(crate) struct Run<'p, Q, C: Candidate> {
    parts: &'p Components<Q, C>,
    limits: &'p Limits,
    context: RunContext,
    started: Duration,
    report: Report,
    removed: Vec<Removed<C>>,
    tracer: Tracer<C::Id>,
}

impl<'p, Q: Send + Sync + 'static, C: Candidate> Run<'p, Q, C> {
    pub fn new(parts: &'p Components<Q, C>, limits: &'p Limits, context: RunContext, watch: BTreeSet<C::Id>) -> Self {
        let started = context.now();
        let report = Report::new(context.request_id());
        let tracer = Tracer::new(watch);
        Self {
            parts,
            limits,
            context,
            started,
            report,
            removed: Vec::new(),
            tracer,
        }
    }

    pub async fn execute(
        mut self,
        start: Start<C>,
        mut query: Q,
        result_size: Option<usize>,
    ) -> Result<Outcome<Q, C>, PipelineError> {
        let size = result_size.unwrap_or(usize::MAX).min(self.limits.result_size);
        let span = tracing::info_span!("pipeline", request_id = %self.context.request_id());
        async move {
            match self.stages(start, &mut query, size).await {
                Ok(selection) => Ok(self.finish(query, selection)),
                Err(stop) => Err(self.unavailable(stop)),
            }
        }
        .instrument(span)
        .await
    }

    /// Stages 1 to 9. Their order is a contract: see the crate's documentation.
    async fn stages(&mut self, start: Start<C>, query: &mut Q, size: usize) -> Result<Selection<C>, Stop> {
        let parts = self.parts;
        // 1, 1b: all of a stage on the same query.
        self.hydrate_query(Stage::QueryHydrator, &parts.query_hydrators, query)
            .await?;
        self.hydrate_query(Stage::DependentQueryHydrator, &parts.dependent_query_hydrators, query)
            .await?;
        let query = &*query;
        let resumed = matches!(start, Start::Reserve(_));
        let mut candidates = match start {
            Start::Sources => {
                // 2, 3
                let mut found = self.find(query).await?;
                self.hydrate(At::first(Stage::Hydrator), &parts.hydrators, query, &mut found)
                    .await?;
                found
            }
            Start::Reserve(reserve) => {
                self.tracer
                    .note_positions(&reserve, |position| TraceEvent::Resumed { position });
                reserve
            }
        };
        // 4
        self.filter(At::first(Stage::Filter), &parts.filters, query, &mut candidates, 0)
            .await?;
        // 5: a reserve has its scores.
        if !resumed {
            self.score(query, &mut candidates).await?;
        }
        // 6
        let selection = self.select(query, candidates);
        // 7, 8, 8b, 8c, 9
        self.judge(query, selection, size).await
    }

    fn select(&mut self, query: &Q, candidates: Vec<C>) -> Selection<C> {
        let selector = &self.parts.selector;
        let at = At::first(Stage::Selector);
        let _entered = at.span().entered();
        let input = candidates.len();
        let started = self.context.now();
        let enabled = selector.enable(query);
        let selection = if enabled {
            selector.select(query, candidates)
        } else {
            let mut selected = candidates;
            let reserve = selected.split_off(selector.size().min(selected.len()));
            Selection { selected, reserve }
        };
        self.push_immediate(
            at,
            (selector.name(), enabled),
            (input, selection.selected.len()),
            started,
        );
        let slate = selection.selected.len();
        let ranked = selection.selected.iter().chain(&selection.reserve);
        self.tracer.note_positions(ranked, |rank| TraceEvent::Ranked {
            rank,
            slate: rank <= slate,
        });
        selection
    }

    /// The entry of a component that cannot fail; `name` and whether it was enabled, candidates in and out.
    fn push_immediate(
        &mut self,
        at: At,
        (name, enabled): (&'static str, bool),
        (input, output): (usize, usize),
        started: Duration,
    ) {
        let face = Face {
            name,
            enabled,
            required: false,
            budget: Duration::MAX,
        };
        let mut entry =
            Call::new(&self.context, at, face, input).report(if enabled { Status::Ok } else { Status::Disabled });
        entry.output = output;
        entry.took = self.context.now().saturating_sub(started);
        self.report.push(entry);
        self.close_stage(at, started, input, output);
    }

    fn finish(mut self, query: Q, selection: Selection<C>) -> Outcome<Q, C> {
        self.tracer
            .note_positions(&selection.selected, |position| TraceEvent::Selected { position });
        self.tracer
            .note_positions(&selection.reserve, |position| TraceEvent::Reserved { position });
        self.report.took = self.context.now().saturating_sub(self.started);
        Outcome {
            query: Arc::new(query),
            selected: Arc::new(selection.selected),
            reserve: Arc::new(selection.reserve),
            removed: self.removed,
            report: self.report,
            traces: self.tracer.finish(),
        }
    }

    fn unavailable(mut self, stop: Stop) -> PipelineError {
        self.report.took = self.context.now().saturating_sub(self.started);
        PipelineError::Unavailable {
            stage: stop.stage,
            component: stop.component,
            retry_after: stop.failure.retry_after().unwrap_or(self.limits.retry_after),
            source: stop.failure,
            report: Box::new(self.report),
        }
    }

    fn close_stage(&mut self, at: At, started: Duration, input: usize, output: usize) {
        let took = self.context.now().saturating_sub(started);
        self.report.stages.push(StageReport {
            stage: at.stage,
            round: at.round,
            input,
            output,
            took,
        });
    }

    fn remove(&mut self, at: At, component: &'static str, reason: &'static str, candidate: C) {
        let At { stage, round } = at;
        self.tracer.note(
            &candidate,
            TraceEvent::Removed {
                stage,
                component,
                reason,
                round,
            },
        );
        self.removed.push(Removed {
            candidate,
            stage,
            round,
            component,
            reason,
        });
    }
}

#[cfg(test)]
#[path = "run_test.rs"]
mod tests;
