//! Measures a new index against the exact answer.

use covey_ann::{AnnError, AnnIndex, IndexKind, Neighbour, TopK, prefetch, score_row, score_rows};
use half::f16;

use crate::effort::{Effort, worthwhile};
use crate::folder::SegmentRows;
use crate::segment::params_of;
use crate::tail::BLOCK;

/// Hits per query: recall@10.
const HITS: usize = 10;
/// Nothing is gained by trying harder than this.
const GOOD: f32 = 0.999;
/// Numbers of candidates that are tried with each value.
const CANDIDATES: [usize; 6] = [20, 40, 80, 160, 320, 640];
/// A candidate that is scored exactly costs about as much as this many rows of the visited lists.
const ROWS_PER_CANDIDATE: f64 = 16.0;

/// How to measure.
pub(crate) struct Measure<'a> {
    pub(crate) queries: usize,
    pub(crate) cancelled: &'a (dyn Fn() -> bool + Sync),
}

/// One sampled row as a query, and the score that its tenth nearest other row has.
struct Sample {
    row: usize,
    query: Vec<f32>,
    tenth: f32,
}

impl Measure<'_> {
    /// Recall@10 at values that double, with few and many candidates, until it is as good as exact. Queries are rows of
    /// the segment itself, each without itself as an answer.
    pub(crate) fn run(&self, index: &dyn AnnIndex, rows: &SegmentRows) -> Result<Vec<Effort>, AnnError> {
        if rows.len() <= HITS {
            return Ok(vec![Effort {
                value: 1,
                candidates: HITS as u32,
                recall: 1.0,
            }]);
        }
        let samples = self.samples(index, rows)?;
        let mut measured = Vec::new();
        for value in ladder(index.kind()) {
            let mut found = [0; CANDIDATES.len()];
            for sample in &samples {
                self.check_cancelled()?;
                let ranks = self.ranks(index, rows, sample, value)?;
                for (found, candidates) in found.iter_mut().zip(CANDIDATES) {
                    *found += ranks.iter().filter(|&&rank| rank < candidates).count().min(HITS);
                }
            }
            let recalls = found.map(|found| found as f32 / (samples.len() * HITS) as f32);
            for (recall, candidates) in recalls.into_iter().zip(CANDIDATES) {
                let candidates = candidates as u32;
                let effort = Effort {
                    value,
                    candidates,
                    recall,
                };
                measured.push((cost(index, &effort), effort));
            }
            if recalls.iter().any(|&recall| recall >= GOOD) {
                break;
            }
        }
        Ok(worthwhile(measured))
    }

    fn samples(&self, index: &dyn AnnIndex, rows: &SegmentRows) -> Result<Vec<Sample>, AnnError> {
        let count = self.queries.clamp(1, rows.len());
        let floats = |row: usize| rows.range(row, row + 1).iter().map(|x: &f16| x.to_f32()).collect();
        let mut samples: Vec<Sample> = (0..count)
            .map(|i| sampled(i, count, rows.len()))
            .map(|row| Sample {
                row,
                query: floats(row),
                tenth: f32::NEG_INFINITY,
            })
            .collect();
        let mut tops: Vec<TopK<()>> = samples.iter().map(|_| TopK::new(HITS)).collect();
        let mut scores = vec![0.0; BLOCK];
        // Block by block for all queries: a block stays in the cache.
        for start in (0..rows.len()).step_by(BLOCK) {
            self.check_cancelled()?;
            let end = rows.len().min(start + BLOCK);
            for (sample, top) in samples.iter().zip(&mut tops) {
                let scores = &mut scores[..end - start];
                score_rows(index.metric(), rows.range(start, end), &sample.query, scores);
                for (row, &score) in (start..end).zip(scores.iter()) {
                    if score >= top.threshold() && row != sample.row {
                        top.push(score, row as u64, ());
                    }
                }
            }
        }
        for (sample, top) in samples.iter_mut().zip(&tops) {
            sample.tenth = top.threshold();
        }
        Ok(samples)
    }

    /// At which places among the index' candidates the ten nearest come. By score, so that of equally near rows any
    /// will do.
    fn ranks(
        &self,
        index: &dyn AnnIndex,
        rows: &SegmentRows,
        sample: &Sample,
        value: u32,
    ) -> Result<Vec<usize>, AnnError> {
        let mut out: Vec<Neighbour> = Vec::new();
        let most = CANDIDATES[CANDIDATES.len() - 1] + 1;
        let most = match index.kind() {
            // The queue of a graph is never shorter than what it is asked for.
            IndexKind::Hnsw => most.min(value as usize + 1),
            _ => most,
        };
        index.search(
            &sample.query,
            most,
            &params_of(value, f32::NEG_INFINITY),
            None,
            &mut out,
        )?;
        let row = |neighbour: &Neighbour| rows.range(neighbour.row as usize, neighbour.row as usize + 1);
        out.iter().for_each(|neighbour| prefetch(row(neighbour)));
        out.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
        let others = out.iter().filter(|neighbour| neighbour.row as usize != sample.row);
        let near = |neighbour: &Neighbour| score_row(index.metric(), row(neighbour), &sample.query) >= sample.tenth;
        let ranks = others.enumerate().filter(|(_, neighbour)| near(neighbour));
        Ok(ranks.map(|(rank, _)| rank).collect())
    }

    fn check_cancelled(&self) -> Result<(), AnnError> {
        if (self.cancelled)() {
            Err(AnnError::Cancelled)
        } else {
            Ok(())
        }
    }
}

/// The sampled row number `i` of `count`: one of each stretch of rows, but not at even steps. Those train the index, and
/// are found more easily than others.
fn sampled(i: usize, count: usize, rows: usize) -> usize {
    let (start, end) = (i * rows / count, (i + 1) * rows / count);
    start + i.wrapping_mul(0x9e37_79b1) % (end - start)
}

/// In rows of a visited list.
fn cost(index: &dyn AnnIndex, effort: &Effort) -> f64 {
    let rows_per_value = match index.kind() {
        IndexKind::Flat => 0.0,
        IndexKind::Ivf { nlist } => index.len() as f64 / nlist as f64,
        IndexKind::Hnsw => ROWS_PER_CANDIDATE,
    };
    rows_per_value * f64::from(effort.value) + ROWS_PER_CANDIDATE * f64::from(effort.candidates)
}

fn ladder(kind: IndexKind) -> Vec<u32> {
    let doubling = |from: u32, to: u32| {
        let mut steps: Vec<u32> = std::iter::successors(Some(from), |x| x.checked_mul(2))
            .take_while(|&x| x < to)
            .collect();
        steps.push(to);
        steps
    };
    match kind {
        IndexKind::Flat => vec![1],
        IndexKind::Ivf { nlist } => doubling(4, nlist.max(4) as u32),
        IndexKind::Hnsw => doubling(32, 1024),
    }
}
