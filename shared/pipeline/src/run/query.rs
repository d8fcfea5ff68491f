//! Stages 1, 1b and 2: complete the query, find candidates.

use futures::future::join_all;
use tracing::Instrument;

use super::{At, Call, Run, Stop, face};
use crate::trace::TraceEvent;
use crate::{Candidate, ComponentReport, QueryHydrator, Stage};

/// Reason in a source's report for what it found beyond its limit.
const OVER_LIMIT: &str = "over_source_limit";

impl<Q: Send + Sync + 'static, C: Candidate> Run<'_, Q, C> {
    pub(super) async fn hydrate_query(
        &mut self,
        stage: Stage,
        hydrators: &[Box<dyn QueryHydrator<Q>>],
        query: &mut Q,
    ) -> Result<(), Stop> {
        let at = At::first(stage);
        let started = self.context.now();
        let calls: Vec<Call> = hydrators
            .iter()
            .map(|h| Call::new(&self.context, at, face!(h, query), 0))
            .collect();
        let ended = {
            let original = &*query;
            let running = hydrators
                .iter()
                .zip(&calls)
                .map(|(hydrator, call)| call.run(move || hydrator.hydrate(&call.context, original)));
            join_all(running).instrument(at.span()).await
        };
        let mut stop = None;
        for (call, ended) in calls.iter().zip(ended) {
            self.report.push(ended.report);
            match ended.answer {
                Some(Ok(update)) => update.apply(query),
                Some(Err(failure)) => note_stop(&mut stop, call, failure),
                None => {}
            }
        }
        self.close_stage(at, started, 0, 0);
        stop.map_or(Ok(()), Err)
    }

    pub(super) async fn find(&mut self, query: &Q) -> Result<Vec<C>, Stop> {
        let at = At::first(Stage::Source);
        let started = self.context.now();
        let sources = &self.parts.sources;
        let calls: Vec<Call> = sources
            .iter()
            .map(|s| Call::new(&self.context, at, face!(s, query), 0))
            .collect();
        let running = sources
            .iter()
            .zip(&calls)
            .map(|(source, call)| call.run(move || source.find(&call.context, query)));
        let ended = join_all(running).instrument(at.span()).await;
        let mut stop = None;
        let mut all = Vec::new();
        for (call, ended) in calls.iter().zip(ended) {
            let mut entry = ended.report;
            match ended.answer {
                Some(Ok(found)) => all.extend(self.within_limit(call, found, &mut entry)),
                Some(Err(failure)) => note_stop(&mut stop, call, failure),
                None => {}
            }
            self.report.push(entry);
        }
        self.close_stage(at, started, 0, all.len());
        stop.map_or(Ok(all), Err)
    }

    fn within_limit(&mut self, call: &Call, mut found: Vec<C>, entry: &mut ComponentReport) -> Vec<C> {
        let source = call.face.name;
        self.tracer
            .note_positions(&found, |position| TraceEvent::Found { source, position });
        if found.len() > self.limits.max_per_source {
            let cut = found.split_off(self.limits.max_per_source);
            let event = TraceEvent::Removed {
                stage: Stage::Source,
                component: source,
                reason: OVER_LIMIT,
                round: 0,
            };
            self.tracer.note_positions(&cut, |_| event.clone());
            entry.removed.insert(OVER_LIMIT, cut.len());
            entry.output = found.len();
        }
        found
    }
}

/// Remembers the first required component, in list order, that failed.
pub(super) fn note_stop(stop: &mut Option<Stop>, call: &Call, failure: crate::Failure) {
    if call.face.required && stop.is_none() {
        *stop = Some(Stop {
            stage: call.at.stage,
            component: call.face.name,
            failure,
        });
    }
}
