//! Stages 7 to 9: judge the slate, fill it up from the reserve, cut it to size.

use std::collections::VecDeque;

use super::{At, Run, Stop};
use crate::trace::TraceEvent;
use crate::{Candidate, Selection, Stage};

impl<Q: Send + Sync + 'static, C: Candidate> Run<'_, Q, C> {
    pub(super) async fn judge(
        &mut self,
        query: &Q,
        selection: Selection<C>,
        size: usize,
    ) -> Result<Selection<C>, Stop> {
        let parts = self.parts;
        let Selection {
            selected: mut slate,
            reserve,
        } = selection;
        let mut reserve = VecDeque::from(reserve);
        // 7, 8
        self.hydrate(At::first(Stage::PostHydrator), &parts.post_hydrators, query, &mut slate)
            .await?;
        self.filter(At::first(Stage::PostFilter), &parts.post_filters, query, &mut slate, 0)
            .await?;
        // 8b: a round that cannot be judged in time or at all would only make a good short answer late, or none.
        while slate.len() < size
            && !reserve.is_empty()
            && self.report.backfill_rounds < self.limits.backfill_rounds
            && !self.context.time_left().is_zero()
        {
            self.report.backfill_rounds += 1;
            if !self.backfill(query, &mut slate, &mut reserve, size).await {
                break;
            }
        }
        // 9: what does not fit was judged good and ranks above the reserve.
        for candidate in slate.drain(size.min(slate.len())..).rev() {
            reserve.push_front(candidate);
        }
        Ok(Selection {
            selected: slate,
            reserve: reserve.into(),
        })
    }

    /// One round: takes as many as are missing, completes them, and filters the whole slate again, because filters such
    /// as the one for conversations compare candidates. False if a required hydrator failed: the new ones are back in
    /// the reserve, the slate is as it was.
    async fn backfill(&mut self, query: &Q, slate: &mut Vec<C>, reserve: &mut VecDeque<C>, size: usize) -> bool {
        let parts = self.parts;
        let round = self.report.backfill_rounds;
        let missing = (size - slate.len()).min(reserve.len());
        let mut fresh: Vec<C> = reserve.drain(..missing).collect();
        self.tracer.note_positions(&fresh, |_| TraceEvent::Backfilled { round });
        let at = At {
            stage: Stage::PostHydrator,
            round,
        };
        if self
            .hydrate(at, &parts.post_hydrators, query, &mut fresh)
            .await
            .is_err()
        {
            for candidate in fresh.into_iter().rev() {
                reserve.push_front(candidate);
            }
            return false;
        }
        let judged = slate.len();
        slate.append(&mut fresh);
        let at = At {
            stage: Stage::PostFilter,
            round,
        };
        self.filter(at, &parts.post_filters, query, slate, judged).await.is_ok()
    }
}

#[cfg(test)]
#[path = "slate_test.rs"]
mod tests;
