//! Measures a new index against the exact answer.

use covey_ann::{AnnError, AnnIndex, IndexKind, Neighbour, TopK, score_row, score_rows};
use half::f16;

use crate::folder::SegmentRows;
use crate::segment::{Effort, params_of};
use crate::tail::BLOCK;

/// Hits per query: recall@10.
const HITS: usize = 10;
/// Nothing is gained by trying harder than this.
const GOOD: f32 = 0.999;

/// How to measure.
pub(crate) struct Measure<'a> {
    pub(crate) queries: usize,
    /// Candidates that are rescored exactly.
    pub(crate) candidates: usize,
    pub(crate) cancelled: &'a (dyn Fn() -> bool + Sync),
}

/// One sampled row as a query, and the score that its tenth nearest other row has.
struct Sample {
    row: usize,
    query: Vec<f32>,
    tenth: f32,
}

impl Measure<'_> {
    /// Recall@10 at efforts that double, until it is as good as exact. Queries are rows of the segment itself, each
    /// without itself as an answer.
    pub(crate) fn run(&self, index: &dyn AnnIndex, rows: &SegmentRows) -> Result<Vec<Effort>, AnnError> {
        if rows.len() <= HITS {
            return Ok(vec![Effort { value: 1, recall: 1.0 }]);
        }
        let samples = self.samples(index, rows)?;
        let mut efforts = Vec::new();
        for value in ladder(index.kind()) {
            let mut found = 0;
            for sample in &samples {
                self.check_cancelled()?;
                found += self.hits(index, rows, sample, value)?;
            }
            let recall = found as f32 / (samples.len() * HITS) as f32;
            efforts.push(Effort { value, recall });
            if recall >= GOOD {
                break;
            }
        }
        Ok(efforts)
    }

    fn samples(&self, index: &dyn AnnIndex, rows: &SegmentRows) -> Result<Vec<Sample>, AnnError> {
        let count = self.queries.clamp(1, rows.len());
        let floats = |row: usize| rows.range(row, row + 1).iter().map(|x: &f16| x.to_f32()).collect();
        let mut samples: Vec<Sample> = (0..count)
            .map(|i| i * rows.len() / count)
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

    /// How many of the ten nearest were found. By score, so that of equally near rows any will do.
    fn hits(&self, index: &dyn AnnIndex, rows: &SegmentRows, sample: &Sample, effort: u32) -> Result<usize, AnnError> {
        let mut out: Vec<Neighbour> = Vec::new();
        index.search(
            &sample.query,
            self.candidates.max(HITS + 1),
            &params_of(effort),
            None,
            &mut out,
        )?;
        let near = |n: &&Neighbour| {
            let row = n.row as usize;
            row != sample.row && score_row(index.metric(), rows.range(row, row + 1), &sample.query) >= sample.tenth
        };
        Ok(out.iter().filter(near).count().min(HITS))
    }

    fn check_cancelled(&self) -> Result<(), AnnError> {
        if (self.cancelled)() {
            Err(AnnError::Cancelled)
        } else {
            Ok(())
        }
    }
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
