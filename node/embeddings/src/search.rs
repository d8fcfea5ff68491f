//! Searches a view.

use std::collections::HashSet;

use covey_ann::{
    AnnError, Bitmap, MAX_K, Neighbour, SearchParams, TopK, prefetch, prepare_query, score_row, score_rows,
};
use covey_shared::score::Score;

use crate::deleted::DeletedBits;
use crate::effort::Wanted;
use crate::passing::{passing, share};
use crate::request::{Found, SearchOutcome, SearchRequest};
use crate::row::RowRecord;
use crate::segment::{MeasuredIndex, Segment, params_of};
use crate::tail::{BLOCK, Tail};
use crate::view::View;

/// Rows scanned between two looks at `cancelled`: about 0.1 ms at 128 dimensions.
const CANCEL_ROWS: usize = 4096;
/// Rows that are fetched before they are scored: as many as a core waits for at once.
const AHEAD: usize = 8;
/// So many passing rows are scored as fast as the index answers.
const SCAN_PASSING: usize = 1024;

/// Where a candidate's vector lies, to check it before it is returned.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    record: RowRecord,
    /// Segment in the view and row; tails are in memory and need no check.
    source: Option<(usize, u32)>,
}

impl View {
    /// Searches for a vector of the space's dimension: the tails exactly, then the segments, largest first.
    ///
    /// # Errors
    /// A bad vector or `k`, and what the index reports.
    pub fn search(&self, vector: &[f32], request: &SearchRequest<'_>) -> Result<SearchOutcome, AnnError> {
        if request.k == 0 || request.k > MAX_K {
            return Err(AnnError::BadK {
                k: request.k,
                max: MAX_K,
            });
        }
        let query = prepare_query(self.space.metric, self.space.dim, vector)?;
        let mut run = Run {
            view: self,
            request,
            query: &query,
            top: TopK::new(request.k),
            outcome: SearchOutcome::default(),
            neighbours: Vec::new(),
            suggestions: Vec::new(),
            quota: 0,
            scores: vec![0.0; BLOCK],
        };
        run.search()?;
        run.rescore();
        Ok(run.finish())
    }
}

/// A row that an index suggests, with its rough score.
#[derive(Debug, Clone, Copy)]
struct Suggestion {
    segment: usize,
    row: u32,
    score: f32,
}

struct Run<'a> {
    view: &'a View,
    request: &'a SearchRequest<'a>,
    query: &'a [f32],
    top: TopK<Candidate>,
    outcome: SearchOutcome,
    neighbours: Vec<Neighbour>,
    suggestions: Vec<Suggestion>,
    /// Suggestions that are scored exactly, over all segments; 0 until the first one, the largest, has been asked.
    quota: usize,
    scores: Vec<f32>,
}

impl Run<'_> {
    fn search(&mut self) -> Result<(), AnnError> {
        let view = self.view;
        self.outcome.segments = (view.segments.len() + view.tails.len()) as u32;
        for tail in view.tails.iter().rev() {
            if self.stop() {
                return Ok(());
            }
            self.scan_tail(tail);
        }
        let mut order: Vec<usize> = (0..view.segments.len()).collect();
        order.sort_by_key(|&at| std::cmp::Reverse(view.segments[at].len()));
        for at in order {
            if self.stop() {
                return Ok(());
            }
            self.search_segment(at)?;
        }
        Ok(())
    }

    fn stop(&mut self) -> bool {
        self.outcome.partial = self.outcome.partial || (self.request.cancelled)();
        self.outcome.partial
    }

    fn scan_tail(&mut self, tail: &Tail) {
        let mut scores = std::mem::take(&mut self.scores);
        tail.for_each_block(|first, block| {
            let scores = &mut scores[..block.records.len()];
            score_rows(self.view.space.metric, &block.rows, self.query, scores);
            for (at, record) in block.records.iter().enumerate() {
                self.offer(scores[at], record, &tail.deleted, first + at as u32, None);
            }
            self.outcome.rows_scanned += block.records.len() as u64;
            !(first as usize + BLOCK).is_multiple_of(CANCEL_ROWS) || !self.stop()
        });
        self.scores = scores;
        self.outcome.segments_searched += u32::from(!self.outcome.partial);
    }

    fn search_segment(&mut self, at: usize) -> Result<(), AnnError> {
        let segment = &*self.view.segments[at];
        let live = segment.live();
        if live > 0 {
            match &segment.index {
                Some(index) if !self.request.exact => self.search_index(at, segment, index)?,
                _ => self.scan_segment(at, segment),
            }
        }
        self.outcome.segments_searched += u32::from(!self.outcome.partial);
        Ok(())
    }

    /// Scores every row in order, whether it is alive or not: that is faster than asking first.
    fn scan_segment(&mut self, at: usize, segment: &Segment) {
        let mut scores = std::mem::take(&mut self.scores);
        for start in (0..segment.len()).step_by(BLOCK) {
            if start % CANCEL_ROWS == 0 && self.stop() {
                break;
            }
            let end = segment.len().min(start + BLOCK);
            let scores = &mut scores[..end - start];
            score_rows(
                self.view.space.metric,
                segment.rows.range(start, end),
                self.query,
                scores,
            );
            for (row, score) in (start..end).zip(scores.iter()) {
                self.offer(*score, &segment.records[row], &segment.deleted, row as u32, Some(at));
            }
            self.outcome.rows_scanned += (end - start) as u64;
        }
        self.scores = scores;
    }

    /// Lets the index suggest rows. What is dead or does not pass is taken out of its suggestions: asking for more of them
    /// costs less than a bitmap of all rows.
    fn search_index(&mut self, at: usize, segment: &Segment, index: &MeasuredIndex) -> Result<(), AnnError> {
        let share = share(self.request, segment);
        if share < self.view.options.exact_below {
            return self.search_passing(at, segment, index);
        }
        let effort = self.effort(index, share);
        let candidates = self.candidates(effort.candidates, share);
        let part = self.part(segment);
        if self.quota == 0 {
            self.quota = self.quota_of(candidates as f64 * share, part);
        }
        // Of a small segment the nearest few are wanted, which are found a little more easily.
        let value = effort.value * part.powf(0.1);
        let (floor, before) = (self.floor(), self.suggestions.len());
        let params = params_of(value.ceil() as u32, floor);
        let found = self.ask(at, index, (candidates, &params), None)?;
        if share < 1.0 && found < self.request.k && floor == f32::NEG_INFINITY {
            // It finds these too, and no row may be scored twice.
            self.suggestions.truncate(before);
            return self.search_passing(at, segment, index);
        }
        Ok(())
    }

    /// How hard to try where this share of the rows may be returned.
    fn effort(&self, index: &MeasuredIndex, share: f64) -> Wanted {
        let recall = self.request.recall_target.unwrap_or(self.view.options.recall_target);
        index.effort(recall).deeper(self.request.k as f64 / 10.0 / share)
    }

    /// The segment's part of all rows.
    fn part(&self, segment: &Segment) -> f64 {
        segment.len() as f64 / self.view.rows().max(1) as f64
    }

    /// Suggestions that are rescored, of all segments: as many as if each gave what one with this `part` of the rows was
    /// measured to take.
    fn quota_of(&self, candidates: f64, part: f64) -> usize {
        let quota = self.request.kk.unwrap_or((candidates / part) as usize);
        quota.max(self.request.k)
    }

    /// How many suggestions an index is asked for: as measured, but enough to have the hits among them.
    fn candidates(&self, measured: f64, share: f64) -> usize {
        let options = &*self.view.options;
        let least = options.kk_min.max(options.kk_factor * self.request.k);
        let candidates = self.request.kk.unwrap_or(least.max(measured as usize));
        let enough = (1.5 * self.request.k as f64 / share) as usize;
        candidates.max(enough).clamp(self.request.k, MAX_K)
    }

    /// Looks at every row whether it passes: few are scored, of many the index suggests some.
    fn search_passing(&mut self, at: usize, segment: &Segment, index: &MeasuredIndex) -> Result<(), AnnError> {
        let passing = passing(self.request, segment);
        let count = passing.count();
        let share = count as f64 / segment.len() as f64;
        if count <= SCAN_PASSING || share < self.view.options.exact_below {
            self.scan_some(at, segment, &passing);
            return Ok(());
        }
        let effort = self.effort(index, share);
        let candidates = self.candidates(effort.candidates, 1.0);
        self.quota = self.quota.max(self.quota_of(candidates as f64, self.part(segment)));
        let params = params_of(effort.value.ceil() as u32, self.floor());
        self.ask(at, index, (candidates, &params), Some(&passing)).map(drop)
    }

    /// Scores just these rows.
    fn scan_some(&mut self, at: usize, segment: &Segment, rows: &Bitmap) {
        for (turn, row) in rows.ones().enumerate() {
            if turn % CANCEL_ROWS == 0 && self.stop() {
                return;
            }
            self.score_one(at, segment, row as u32);
        }
    }

    /// Takes those of an index' suggestions that are alive and pass; answers how many.
    fn ask(
        &mut self,
        at: usize,
        index: &MeasuredIndex,
        params: (usize, &SearchParams),
        keep: Option<&Bitmap>,
    ) -> Result<usize, AnnError> {
        let segment = &*self.view.segments[at];
        let mut neighbours = std::mem::take(&mut self.neighbours);
        let (candidates, params) = params;
        index
            .ann
            .search(self.query, candidates, params, keep, &mut neighbours)?;
        if !self.request.unfiltered() {
            let record = |neighbour: &Neighbour| std::slice::from_ref(&segment.records[neighbour.row as usize]);
            neighbours.iter().for_each(|neighbour| prefetch(record(neighbour)));
        }
        let before = self.suggestions.len();
        for neighbour in &neighbours {
            if self.passes(segment, neighbour.row) {
                self.suggestions.push(Suggestion {
                    segment: at,
                    row: neighbour.row,
                    score: neighbour.score,
                });
            }
        }
        self.neighbours = neighbours;
        Ok(self.suggestions.len() - before)
    }

    /// Cuts the suggestions down to the quota. Their rough scores compare: those of other segments are no use if they are
    /// not better than the last of them, whose score this answers.
    fn floor(&mut self) -> f32 {
        if self.quota == 0 || self.suggestions.len() < self.quota {
            return f32::NEG_INFINITY;
        }
        let better = |a: &Suggestion, b: &Suggestion| b.score.total_cmp(&a.score);
        let (_, last, _) = self.suggestions.select_nth_unstable_by(self.quota - 1, better);
        let floor = last.score;
        self.suggestions.truncate(self.quota);
        floor
    }

    /// Scores the best suggestions of all segments together: most of a small segment's are far behind those of a large one.
    fn rescore(&mut self) {
        self.floor();
        let suggestions = std::mem::take(&mut self.suggestions);
        let view = self.view;
        let row = |suggestion: &Suggestion| {
            let row = suggestion.row as usize;
            view.segments[suggestion.segment].rows.range(row, row + 1)
        };
        suggestions.iter().take(AHEAD).for_each(|next| prefetch(row(next)));
        for (at, suggestion) in suggestions.iter().enumerate() {
            if let Some(next) = suggestions.get(at + AHEAD) {
                prefetch(row(next));
            }
            self.score_one(suggestion.segment, &view.segments[suggestion.segment], suggestion.row);
        }
    }

    fn passes(&self, segment: &Segment, row: u32) -> bool {
        let filtered = || self.request.unfiltered() || self.request.passes(&segment.records[row as usize].meta);
        !segment.deleted.get(row) && filtered()
    }

    fn score_one(&mut self, at: usize, segment: &Segment, row: u32) {
        let vector = segment.rows.range(row as usize, row as usize + 1);
        let score = score_row(self.view.space.metric, vector, self.query);
        self.outcome.rows_scanned += 1;
        if score >= self.top.threshold() && self.view.readable(at, row) {
            let record = segment.records[row as usize];
            self.top.push(
                score,
                record.meta.post.0,
                Candidate {
                    record,
                    source: Some((at, row)),
                },
            );
        }
    }

    /// The score decides first: most rows are not good enough, and need no filter.
    fn offer(&mut self, score: f32, record: &RowRecord, deleted: &DeletedBits, row: u32, segment: Option<usize>) {
        let wanted = score >= self.top.threshold() && !deleted.get(row) && self.request.passes(&record.meta);
        if wanted && segment.is_none_or(|at| self.view.readable(at, row)) {
            let source = segment.map(|at| (at, row));
            self.top.push(
                score,
                record.meta.post.0,
                Candidate {
                    record: *record,
                    source,
                },
            );
        }
    }

    fn finish(mut self) -> SearchOutcome {
        // While a post is replaced, its old and its new row are both visible for a moment.
        let mut seen = HashSet::new();
        for best in self.top.into_sorted() {
            let Candidate { record, source } = best.payload;
            let unsound = source.filter(|&(at, row)| {
                !record.matches(self.view.segments[at].rows.range(row as usize, row as usize + 1))
            });
            if let Some((segment, _)) = unsound {
                self.view.damaged_row(segment);
                self.outcome.damaged += 1;
            } else if seen.insert(record.meta.post) {
                self.outcome.hits.push(Found {
                    meta: record.meta,
                    score: Score::or_lowest(best.score),
                });
            }
        }
        // Rows of zeros score so low that most never get as far as the check above.
        self.outcome.damaged = self.outcome.damaged.saturating_add(self.view.faulted_pages());
        self.outcome
    }
}

#[cfg(test)]
#[path = "search_test.rs"]
mod tests;
