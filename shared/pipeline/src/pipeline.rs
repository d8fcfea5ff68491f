//! A pipeline: its components as one visible list, its limits, and the order of a run.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::effects::EffectPool;
use crate::run::{Run, Start};
use crate::{
    Arranger, BuildError, Candidate, Filter, Hydrator, Outcome, PipelineError, QueryHydrator, Request, RunContext,
    Scorer, Selector, SideEffect, SideEffectInput, Source, Stage, Status, Timer,
};

/// The components of a pipeline. The order within a list is the order in which its members run or are applied.
pub struct Components<Q, C> {
    /// Stage 1, in parallel, on the query as it came.
    pub query_hydrators: Vec<Box<dyn QueryHydrator<Q>>>,
    /// Stage 1b, in parallel, on the query as stage 1 left it.
    pub dependent_query_hydrators: Vec<Box<dyn QueryHydrator<Q>>>,
    /// Stage 2, in parallel.
    pub sources: Vec<Box<dyn Source<Q, C>>>,
    /// Stage 3, in parallel.
    pub hydrators: Vec<Box<dyn Hydrator<Q, C>>>,
    /// Stage 4, one after another.
    pub filters: Vec<Box<dyn Filter<Q, C>>>,
    /// Stage 5, one after another.
    pub scorers: Vec<Box<dyn Scorer<Q, C>>>,
    /// Stage 6.
    pub selector: Box<dyn Selector<Q, C>>,
    /// Stage 7, in parallel, on the slate.
    pub post_hydrators: Vec<Box<dyn Hydrator<Q, C>>>,
    /// Stage 8, one after another, on the slate.
    pub post_filters: Vec<Box<dyn Filter<Q, C>>>,
    /// Stage 8c; without one the page is the slate, best first.
    pub arranger: Option<Box<dyn Arranger<Q, C>>>,
    /// Stage 10.
    pub side_effects: Vec<Arc<dyn SideEffect<Q, C>>>,
}

impl<Q, C> Components<Q, C> {
    /// Only a selector; the lists are empty.
    #[must_use]
    pub fn new(selector: Box<dyn Selector<Q, C>>) -> Self {
        Self {
            query_hydrators: Vec::new(),
            dependent_query_hydrators: Vec::new(),
            sources: Vec::new(),
            hydrators: Vec::new(),
            filters: Vec::new(),
            scorers: Vec::new(),
            selector,
            post_hydrators: Vec::new(),
            post_filters: Vec::new(),
            arranger: None,
            side_effects: Vec::new(),
        }
    }

    /// Stage and name of every component, in the order of a run.
    #[must_use]
    pub fn names(&self) -> Vec<(Stage, &'static str)> {
        let mut names = Vec::new();
        names.extend(self.query_hydrators.iter().map(|c| (Stage::QueryHydrator, c.name())));
        names.extend(
            self.dependent_query_hydrators
                .iter()
                .map(|c| (Stage::DependentQueryHydrator, c.name())),
        );
        names.extend(self.sources.iter().map(|c| (Stage::Source, c.name())));
        names.extend(self.hydrators.iter().map(|c| (Stage::Hydrator, c.name())));
        names.extend(self.filters.iter().map(|c| (Stage::Filter, c.name())));
        names.extend(self.scorers.iter().map(|c| (Stage::Scorer, c.name())));
        names.push((Stage::Selector, self.selector.name()));
        names.extend(self.post_hydrators.iter().map(|c| (Stage::PostHydrator, c.name())));
        names.extend(self.post_filters.iter().map(|c| (Stage::PostFilter, c.name())));
        names.extend(self.arranger.iter().map(|c| (Stage::Arranger, c.name())));
        names.extend(self.side_effects.iter().map(|c| (Stage::SideEffect, c.name())));
        names
    }
}

/// The bounds of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most results of a run, at least 1.
    pub result_size: usize,
    /// Most candidates taken from one source, at least 1. Bounds the memory of a run whatever a source sends.
    pub max_per_source: usize,
    /// Most rounds of backfill; 0 turns it off.
    pub backfill_rounds: u32,
    /// When to ask again, if the required component that failed does not say.
    pub retry_after: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            result_size: 35,
            max_per_source: 1200,
            backfill_rounds: 3,
            retry_after: Duration::from_secs(1),
        }
    }
}

/// A list of components that can be run. Shared by all requests; a run changes nothing but the counters of the pool.
pub struct Pipeline<Q, C: Candidate> {
    components: Components<Q, C>,
    limits: Limits,
    timer: Arc<dyn Timer>,
    effects: Arc<EffectPool>,
}

impl<Q: Send + Sync + 'static, C: Candidate> Pipeline<Q, C> {
    /// Checks the list and takes it into service.
    ///
    /// # Errors
    /// Two components of one stage with the same name, or a limit that would make every run empty.
    pub fn new(
        components: Components<Q, C>,
        limits: Limits,
        timer: Arc<dyn Timer>,
        effects: Arc<EffectPool>,
    ) -> Result<Self, BuildError> {
        let mut seen = BTreeSet::new();
        if let Some((stage, name)) = components.names().into_iter().find(|entry| !seen.insert(*entry)) {
            return Err(BuildError::DuplicateName { stage, name });
        }
        for (limit, value) in [
            ("result_size", limits.result_size),
            ("max_per_source", limits.max_per_source),
        ] {
            if value == 0 {
                return Err(BuildError::ZeroLimit { limit });
            }
        }
        Ok(Self {
            components,
            limits,
            timer,
            effects,
        })
    }

    /// The components.
    pub fn components(&self) -> &Components<Q, C> {
        &self.components
    }

    /// Serves a request from scratch.
    ///
    /// Dropping the future cancels the run with all its components. Once it is decided that the outcome is shown,
    /// [`start_side_effects`](Self::start_side_effects) does the rest.
    ///
    /// # Errors
    /// See [`PipelineError`]. An empty result is no error.
    pub async fn run(&self, request: Request<Q, C::Id>) -> Result<Outcome<Q, C>, PipelineError> {
        self.run_from(Start::Sources, request).await
    }

    /// Serves the next page from the ranked reserve of an earlier run: query hydrators, filters, selector and all that
    /// follows run as ever; sources, hydrators and scorers do not.
    ///
    /// # Errors
    /// As [`Pipeline::run`].
    pub async fn resume(&self, request: Request<Q, C::Id>, reserve: Vec<C>) -> Result<Outcome<Q, C>, PipelineError> {
        self.run_from(Start::Reserve(reserve), request).await
    }

    async fn run_from(&self, start: Start<C>, request: Request<Q, C::Id>) -> Result<Outcome<Q, C>, PipelineError> {
        let context = RunContext::new(request.request_id, request.deadline, Arc::clone(&self.timer));
        if context.time_left().is_zero() {
            return Err(PipelineError::DeadlineExceeded);
        }
        Run::new(&self.components, &self.limits, context, request.watch)
            .execute(start, request.query, request.result_size)
            .await
    }

    /// Stage 10, for an outcome that is shown: an attempt of which nobody sees anything leaves no traces. Waits for nothing; what is started
    /// is told in the report.
    pub fn start_side_effects(&self, outcome: &mut Outcome<Q, C>) {
        let input = Arc::new(SideEffectInput {
            query: Arc::clone(&outcome.query),
            selected: Arc::clone(&outcome.selected),
            reserve: Arc::clone(&outcome.reserve),
        });
        // Each has a budget of its own, whatever the request has left.
        let context = RunContext::new(outcome.report.request_id, Duration::MAX, Arc::clone(&self.timer));
        for effect in &self.components.side_effects {
            let report = self.effects.start(&context, effect, &input);
            outcome.report.side_effects_dropped += usize::from(matches!(report.status, Status::Skipped(_)));
            outcome.report.push(report);
        }
    }
}

#[cfg(test)]
#[path = "pipeline_test.rs"]
mod tests;
