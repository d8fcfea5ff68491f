//! Stages 7 to 9: judge the slate, fill it up from the reserve, make the page of it.

use std::collections::{BTreeSet, VecDeque};

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
        // 8c
        let mut page = self.arrange(0, query, &mut slate, size);
        // 8b: a round that cannot be judged in time or at all would only make a good short answer late, or none.
        while page.len() < size
            && !reserve.is_empty()
            && self.report.backfill_rounds < self.limits.backfill_rounds
            && !self.context.time_left().is_zero()
        {
            self.report.backfill_rounds += 1;
            let missing = size - page.len();
            if !self.backfill(query, &mut slate, &mut reserve, missing).await {
                break;
            }
            page = self.arrange(self.report.backfill_rounds, query, &mut slate, size);
        }
        // 9
        Ok(cut(slate, &page, reserve))
    }

    /// Positions in the slate: what is shown, in its order.
    fn arrange(&mut self, round: u32, query: &Q, slate: &mut [C], size: usize) -> Vec<usize> {
        let parts = self.parts;
        let Some(arranger) = &parts.arranger else {
            return (0..size.min(slate.len())).collect();
        };
        let stage = Stage::Arranger;
        let at = At { stage, round };
        let _entered = at.span().entered();
        let started = self.context.now();
        let enabled = arranger.enable(query);
        let order = if enabled {
            arranger.arrange(query, slate, size)
        } else {
            (0..slate.len()).collect()
        };
        let mut placed = BTreeSet::new();
        let once = order.into_iter().filter(|i| *i < slate.len() && placed.insert(*i));
        let page: Vec<usize> = once.take(size).collect();
        self.push_immediate(at, (arranger.name(), enabled), (slate.len(), page.len()), started);
        page
    }

    /// One round: takes as many as are missing, completes them, and filters the whole slate again, because filters such
    /// as the one for conversations compare candidates. False if a required hydrator failed: the new ones are back in
    /// the reserve, the slate is as it was.
    async fn backfill(&mut self, query: &Q, slate: &mut Vec<C>, reserve: &mut VecDeque<C>, missing: usize) -> bool {
        let parts = self.parts;
        let round = self.report.backfill_rounds;
        let mut fresh: Vec<C> = reserve.drain(..missing.min(reserve.len())).collect();
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

/// What is not on the page was judged good and ranks above the reserve.
fn cut<C>(slate: Vec<C>, page: &[usize], mut reserve: VecDeque<C>) -> Selection<C> {
    let mut slate: Vec<Option<C>> = slate.into_iter().map(Some).collect();
    let selected = page.iter().filter_map(|i| slate[*i].take()).collect();
    for candidate in slate.into_iter().flatten().rev() {
        reserve.push_front(candidate);
    }
    Selection {
        selected,
        reserve: reserve.into(),
    }
}

#[cfg(test)]
#[path = "slate_test.rs"]
mod tests;
