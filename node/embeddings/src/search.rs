//! Searches a view.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use covey_ann::{AnnError, Bitmap, MAX_K, Neighbour, TopK, prepare_query, score_row, score_rows};
use covey_shared::score::Score;

use crate::deleted::DeletedBits;
use crate::request::{Found, SearchOutcome, SearchRequest};
use crate::row::RowRecord;
use crate::segment::{MeasuredIndex, Segment};
use crate::tail::{BLOCK, Tail};
use crate::view::View;

/// Rows scanned between two looks at `cancelled`: about 0.1 ms at 128 dimensions.
const CANCEL_ROWS: usize = 4096;
/// Rows at which a filter is tried to learn how much passes.
const SAMPLE: usize = 256;
/// Asking for more candidates is cheaper than a bitmap of the segment if it has this many rows per candidate: a row of
/// the bitmap costs about 3 ns, a candidate more about 60.
const ROWS_PER_CANDIDATE: usize = 20;
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

/// One question to an index.
struct Ask<'a> {
    /// Candidates.
    wanted: usize,
    /// Part of the segment that may be returned: the thinner, the wider the search.
    share: f64,
    /// Rows that may be returned, before the request's own filter.
    keep: Option<&'a Bitmap>,
    /// With fewer passing candidates none is taken.
    least: usize,
}

struct Run<'a> {
    view: &'a View,
    request: &'a SearchRequest<'a>,
    query: &'a [f32],
    top: TopK<Candidate>,
    outcome: SearchOutcome,
    neighbours: Vec<Neighbour>,
    suggestions: Vec<Suggestion>,
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

    /// Candidates that are scored exactly.
    fn wanted(&self) -> usize {
        let options = &*self.view.options;
        let wanted = options.kk_min.max(options.kk_factor * self.request.k);
        self.request.kk.unwrap_or(wanted).clamp(self.request.k, MAX_K)
    }

    fn search_index(&mut self, at: usize, segment: &Segment, index: &MeasuredIndex) -> Result<(), AnnError> {
        let wanted = self.wanted();
        let alive = || (segment.deleted.count() > 0).then(|| segment.deleted.alive(segment.len()));
        if self.request.unfiltered() {
            let live = alive();
            let all = Ask {
                wanted,
                share: 1.0,
                keep: live.as_ref(),
                least: 0,
            };
            return self.ask(at, index, &all).map(drop);
        }
        let share = self.sampled_share(segment);
        let wider = (wanted as f64 / share * 1.25) as usize;
        let mut live = None;
        if wider.saturating_mul(ROWS_PER_CANDIDATE) <= segment.len() && wider <= MAX_K {
            live = alive();
            let wide = Ask {
                wanted: wider,
                share,
                keep: live.as_ref(),
                least: self.request.k,
            };
            if self.ask(at, index, &wide)? {
                return Ok(());
            }
        }
        let passing = self.passing(segment, live);
        let count = passing.count();
        let share = count as f64 / segment.len() as f64;
        if count <= wanted.max(SCAN_PASSING) || share < self.view.options.exact_below {
            self.scan_some(at, segment, &passing);
            return Ok(());
        }
        let thin = Ask {
            wanted,
            share,
            keep: Some(&passing),
            least: 0,
        };
        self.ask(at, index, &thin).map(drop)
    }

    /// The part of evenly spread live rows that passes the filter.
    fn sampled_share(&self, segment: &Segment) -> f64 {
        let count = SAMPLE.min(segment.len());
        let rows = (0..count)
            .map(|i| i * segment.len() / count)
            .filter(|&row| !segment.deleted.get(row as u32));
        let (passed, seen) = rows.fold((0_u32, 0_u32), |(passed, seen), row| {
            (
                passed + u32::from(self.request.passes(&segment.records[row].meta)),
                seen + 1,
            )
        });
        f64::from(passed) / f64::from(seen.max(1))
    }

    /// The rows that pass the filter; `live` are those that are alive, if that was asked already.
    fn passing(&self, segment: &Segment, live: Option<Bitmap>) -> Bitmap {
        let mut keep = live.unwrap_or_else(|| segment.deleted.alive(segment.len()));
        for (row, record) in segment.records.iter().enumerate() {
            if keep.get(row) && !self.request.passes(&record.meta) {
                keep.clear(row);
            }
        }
        keep
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

    /// Asks the index for candidates and takes those that pass; false, with none taken, if too few do.
    fn ask(&mut self, at: usize, index: &MeasuredIndex, ask: &Ask<'_>) -> Result<bool, AnnError> {
        let segment = &*self.view.segments[at];
        let recall = self.request.recall_target.unwrap_or(self.view.options.recall_target);
        let params = index.params(recall, stretch(self.request.k, ask.share));
        let mut neighbours = std::mem::take(&mut self.neighbours);
        index
            .ann
            .search(self.query, ask.wanted, &params, ask.keep, &mut neighbours)?;
        let passing = neighbours
            .iter()
            .filter(|neighbour| self.passes(segment, neighbour.row));
        let passing: Vec<Suggestion> = passing
            .take(self.wanted())
            .map(|neighbour| Suggestion {
                segment: at,
                row: neighbour.row,
                score: neighbour.score,
            })
            .collect();
        let enough = passing.len() >= ask.least;
        if enough {
            self.suggestions.extend(passing);
        }
        self.neighbours = neighbours;
        Ok(enough)
    }

    /// Scores the best suggestions of all segments together: their rough scores compare, and most of a small segment's
    /// candidates are far behind those of a large one.
    fn rescore(&mut self) {
        let wanted = self.wanted();
        let mut suggestions = std::mem::take(&mut self.suggestions);
        if suggestions.len() > wanted {
            suggestions.select_nth_unstable_by(wanted - 1, |a, b| b.score.total_cmp(&a.score));
            suggestions.truncate(wanted);
        }
        // In the order of the files: the maps are read forwards.
        suggestions.sort_unstable_by_key(|suggestion| (suggestion.segment, suggestion.row));
        for suggestion in &suggestions {
            self.score_one(
                suggestion.segment,
                &self.view.segments[suggestion.segment],
                suggestion.row,
            );
        }
    }

    fn passes(&self, segment: &Segment, row: u32) -> bool {
        !segment.deleted.get(row) && self.request.passes(&segment.records[row as usize].meta)
    }

    fn score_one(&mut self, at: usize, segment: &Segment, row: u32) {
        let vector = segment.rows.range(row as usize, row as usize + 1);
        let score = score_row(self.view.space.metric, vector, self.query);
        self.outcome.rows_scanned += 1;
        if score >= self.top.threshold() {
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
        if score >= self.top.threshold() && !deleted.get(row) && self.request.passes(&record.meta) {
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
            let sound = source.is_none_or(|(at, row)| {
                record.matches(self.view.segments[at].rows.range(row as usize, row as usize + 1))
            });
            if !sound {
                self.outcome.damaged += 1;
                self.view.counters.damaged_rows.fetch_add(1, Ordering::Relaxed);
            } else if seen.insert(record.meta.post) {
                self.outcome.hits.push(Found {
                    meta: record.meta,
                    score: Score::or_lowest(best.score),
                });
            }
        }
        self.outcome
    }
}

/// By how much a search must be wider than the one that was measured, which asked for ten of all rows. For 100 hits of
/// 500 k rows 1.5 times the lists gave equal recall, of smaller segments twice. Hits of a thin filter lie further out.
fn stretch(k: usize, share: f64) -> f64 {
    let for_k = 1.0 + (k as f64 / 10.0).log10().max(0.0);
    let for_share = share.max(1e-6).powf(-0.6).min(8.0);
    for_k * for_share
}

#[cfg(test)]
#[path = "search_test.rs"]
mod tests;
