//! Stages 3 to 5, and 7 and 8 on the slate: complete, filter and score candidates.

use std::collections::BTreeMap;

use futures::future::join_all;
use tracing::Instrument;

use super::query::note_stop;
use super::{At, Call, Run, Stop, face};
use crate::{Candidate, ComponentReport, Filter, Hydrator, Rows, Stage, Verdict};

/// Candidates that a required hydrator had no row for: position to component and reason.
type Unhydrated = BTreeMap<usize, (&'static str, &'static str)>;

impl<Q: Send + Sync + 'static, C: Candidate> Run<'_, Q, C> {
    pub(super) async fn hydrate(
        &mut self,
        at: At,
        hydrators: &[Box<dyn Hydrator<Q, C>>],
        query: &Q,
        candidates: &mut Vec<C>,
    ) -> Result<(), Stop> {
        let started = self.context.now();
        let input = candidates.len();
        let calls: Vec<Call> = hydrators
            .iter()
            .map(|h| Call::new(&self.context, at, face!(h, query), input))
            .collect();
        let ended = {
            let snapshot = candidates.as_slice();
            let running = hydrators
                .iter()
                .zip(&calls)
                .map(|(hydrator, call)| call.run(move || hydrator.hydrate(&call.context, query, snapshot)));
            join_all(running).instrument(at.span()).await
        };
        let mut stop = None;
        let mut unhydrated = Unhydrated::new();
        for (call, ended) in calls.iter().zip(ended) {
            let mut entry = ended.report;
            match ended.answer {
                Some(Ok(rows)) => {
                    if call.face.required {
                        note_unhydrated(call, &rows, &mut entry, &mut unhydrated);
                    }
                    rows.apply(candidates);
                }
                Some(Err(failure)) => note_stop(&mut stop, call, failure),
                None => {}
            }
            self.report.push(entry);
        }
        self.remove_unhydrated(at, &unhydrated, candidates);
        self.close_stage(at, started, input, candidates.len());
        stop.map_or(Ok(()), Err)
    }

    fn remove_unhydrated(&mut self, at: At, unhydrated: &Unhydrated, candidates: &mut Vec<C>) {
        if unhydrated.is_empty() {
            return;
        }
        let mut row = 0..;
        let gone = candidates.extract_if(.., |_| row.next().is_some_and(|i| unhydrated.contains_key(&i)));
        for (candidate, (component, reason)) in gone.zip(unhydrated.values()) {
            self.remove(at, component, reason, candidate);
        }
    }

    /// The first `judged` candidates have passed these filters in an earlier round. A required filter that fails ends the run; in a round
    /// of backfill, where there is an answer already, it only removes what is new.
    pub(super) async fn filter(
        &mut self,
        at: At,
        filters: &[Box<dyn Filter<Q, C>>],
        query: &Q,
        candidates: &mut Vec<C>,
        mut judged: usize,
    ) -> Result<(), Stop> {
        let started = self.context.now();
        let input = candidates.len();
        let span = at.span();
        let mut stop = None;
        for filter in filters {
            let call = Call::new(&self.context, at, face!(filter, query), candidates.len());
            let ended = call
                .run(|| filter.filter(&call.context, query, candidates.as_mut_slice()))
                .instrument(span.clone())
                .await;
            let mut entry = ended.report;
            let verdicts = match ended.answer {
                None => vec![Verdict::Keep; candidates.len()],
                Some(Ok(verdicts)) => verdicts,
                Some(Err(failure)) => {
                    let unjudged = vec![Verdict::Unjudged(failure.reason()); candidates.len()];
                    if at.round == 0 {
                        note_stop(&mut stop, &call, failure);
                    }
                    unjudged
                }
            };
            judged = self.apply(&call, &verdicts, candidates, judged, &mut entry);
            entry.output = candidates.len();
            self.report.push(entry);
            if stop.is_some() {
                break;
            }
        }
        self.close_stage(at, started, input, candidates.len());
        stop.map_or(Ok(()), Err)
    }

    /// Moves out what the verdicts remove. Returns how many of the first `judged` candidates are left.
    fn apply(
        &mut self,
        call: &Call,
        verdicts: &[Verdict],
        candidates: &mut Vec<C>,
        judged: usize,
        entry: &mut ComponentReport,
    ) -> usize {
        let reason = |row: usize| match verdicts[row] {
            Verdict::Remove(reason) => Some(reason),
            Verdict::Unjudged(reason) if call.face.required && row >= judged => Some(reason),
            Verdict::Keep | Verdict::Unjudged(_) => None,
        };
        let judged_left = (0..judged).filter(|row| reason(*row).is_none()).count();
        let mut row = 0..;
        let gone = candidates.extract_if(.., |_| row.next().is_some_and(|i| reason(i).is_some()));
        let reasons = (0..verdicts.len()).filter_map(reason);
        for (candidate, reason) in gone.zip(reasons) {
            *entry.removed.entry(reason).or_insert(0) += 1;
            self.remove(call.at, call.face.name, reason, candidate);
        }
        judged_left
    }

    pub(super) async fn score(&mut self, query: &Q, candidates: &mut [C]) -> Result<(), Stop> {
        let at = At::first(Stage::Scorer);
        let started = self.context.now();
        let span = at.span();
        let mut stop = None;
        for scorer in &self.parts.scorers {
            let call = Call::new(&self.context, at, face!(scorer, query), candidates.len());
            let snapshot = &*candidates;
            let ended = call
                .run(|| scorer.score(&call.context, query, snapshot))
                .instrument(span.clone())
                .await;
            self.report.push(ended.report);
            match ended.answer {
                Some(Ok(rows)) => {
                    rows.apply(candidates);
                    self.tracer
                        .note_ranks(call.face.name, candidates, |candidate| scorer.step(candidate));
                }
                Some(Err(failure)) => note_stop(&mut stop, &call, failure),
                None => {}
            }
            if stop.is_some() {
                break;
            }
        }
        self.close_stage(at, started, candidates.len(), candidates.len());
        stop.map_or(Ok(()), Err)
    }
}

fn note_unhydrated<C>(call: &Call, rows: &Rows<C>, entry: &mut ComponentReport, unhydrated: &mut Unhydrated) {
    for (row, error) in rows.failed() {
        if !unhydrated.contains_key(row) {
            unhydrated.insert(*row, (call.face.name, error.0));
            *entry.removed.entry(error.0).or_insert(0) += 1;
        }
    }
}

#[cfg(test)]
#[path = "candidates_test.rs"]
mod tests;
