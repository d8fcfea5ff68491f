//! Side effects: spawned after the reply is made, bounded by permits, counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use serde::Serialize;
use tracing::{Instrument, Span};

use crate::call::{At, Call, Ended, Face};
use crate::{ComponentReport, RunContext, SideEffect, SideEffectInput, Spawner, Stage, Status};

/// Side effects of a pool since it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct EffectStats {
    /// Spawned and not yet ended.
    pub in_flight: usize,
    /// Ended well.
    pub done: u64,
    /// Failed or cancelled at the end of their budget.
    pub failed: u64,
    /// Not started, because all permits were taken.
    pub dropped: u64,
}

#[derive(Default)]
struct Counters {
    in_flight: AtomicUsize,
    done: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
}

/// Starts side effects, so many at a time. Pipelines may share one: what replaces a pipeline counts on with what the old one started.
pub struct EffectPool {
    permits: usize,
    spawner: Arc<dyn Spawner>,
    counters: Arc<Counters>,
}

/// Held by a side effect from before its spawning until its end, also if the spawner drops it.
struct Permit(Arc<Counters>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

impl EffectPool {
    /// At most `permits` side effects are under way at a time; those beyond are dropped and counted.
    pub fn new(permits: usize, spawner: Arc<dyn Spawner>) -> Self {
        Self {
            permits,
            spawner,
            counters: Arc::default(),
        }
    }

    /// What became of them.
    pub fn stats(&self) -> EffectStats {
        EffectStats {
            in_flight: self.counters.in_flight.load(Ordering::Acquire),
            done: self.counters.done.load(Ordering::Relaxed),
            failed: self.counters.failed.load(Ordering::Relaxed),
            dropped: self.counters.dropped.load(Ordering::Relaxed),
        }
    }

    fn permit(&self) -> Option<Permit> {
        let take = |taken: usize| (taken < self.permits).then_some(taken + 1);
        let taken = self
            .counters
            .in_flight
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, take);
        taken.ok().map(|_| Permit(Arc::clone(&self.counters)))
    }

    /// Starts a side effect, unless it is disabled or there is no permit; says which.
    pub(crate) fn start<Q, C>(
        &self,
        run: &RunContext,
        effect: &Arc<dyn SideEffect<Q, C>>,
        input: &Arc<SideEffectInput<Q, C>>,
    ) -> ComponentReport
    where
        Q: Send + Sync + 'static,
        C: Send + Sync + 'static,
    {
        let face = Face {
            name: effect.name(),
            enabled: effect.enable(&input.query),
            required: false,
            budget: effect.budget(),
        };
        let call = Call::detached(run, At::first(Stage::SideEffect), face, input.selected.len());
        let status = match face.enabled.then(|| self.permit()) {
            None => Status::Disabled,
            Some(None) => {
                self.counters.dropped.fetch_add(1, Ordering::Relaxed);
                Status::Skipped("no_permit")
            }
            Some(Some(permit)) => {
                self.spawn(permit, face, run, effect, input);
                Status::Ok
            }
        };
        call.report(status)
    }

    fn spawn<Q, C>(
        &self,
        permit: Permit,
        face: Face,
        run: &RunContext,
        effect: &Arc<dyn SideEffect<Q, C>>,
        input: &Arc<SideEffectInput<Q, C>>,
    ) where
        Q: Send + Sync + 'static,
        C: Send + Sync + 'static,
    {
        let (run, effect, input) = (run.clone(), Arc::clone(effect), Arc::clone(input));
        // A trace of its own, linked to the request's: as a child it would keep the request's span open after the reply.
        let span = tracing::info_span!(parent: None, "side_effect", request_id = %run.request_id());
        span.follows_from(Span::current());
        let task = async move {
            let call = Call::detached(&run, At::first(Stage::SideEffect), face, input.selected.len());
            let ended: Ended<()> = call.run(|| effect.run(&call.context, &input)).await;
            let counter = match ended.answer {
                Some(Err(_)) => &permit.0.failed,
                Some(Ok(())) | None => &permit.0.done,
            };
            counter.fetch_add(1, Ordering::Relaxed);
        };
        self.spawner.spawn(Box::pin(task.instrument(span)));
    }
}

#[cfg(test)]
#[path = "effects_test.rs"]
mod tests;
