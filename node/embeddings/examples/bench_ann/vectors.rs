//! Vectors and queries of a data set, and the exact answers.

use covey_ann::conformance::Noise;
use covey_ann::{AnnError, Metric, TopK, prepare_query};

/// Hits of the largest question.
pub const DEEPEST: usize = 100;
/// Lanes of the sums, so that the compiler can use vector registers.
const LANES: usize = 16;
/// Rows scored for all queries while they are in the cache.
const BLOCK: usize = 256;
const TAG_SEED: u64 = 0x5eed_0f7a;

/// A data set: rows and queries as f32, normalised if the metric is cosine.
#[derive(Debug)]
pub struct Vectors {
    /// How they are compared.
    pub metric: Metric,
    /// Their dimension.
    pub dim: usize,
    rows: Vec<f32>,
    /// Not among the rows.
    pub queries: Vec<Vec<f32>>,
}

impl Vectors {
    /// Prepares what was read; vectors that the metric cannot compare are left out.
    pub fn new(
        metric: Metric,
        dim: usize,
        rows: impl Iterator<Item = Vec<f32>>,
        queries: impl Iterator<Item = Vec<f32>>,
    ) -> Self {
        let prepare = |vector: Vec<f32>| {
            let prepared: Result<Vec<f32>, AnnError> = prepare_query(metric, dim, &vector);
            prepared.ok().map(|mut vector| {
                vector.truncate(dim);
                vector
            })
        };
        Self {
            metric,
            dim,
            rows: rows.filter_map(prepare).flatten().collect(),
            queries: queries.filter_map(prepare).collect(),
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len() / self.dim
    }

    /// One row.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.rows[row * self.dim..][..self.dim]
    }

    /// All rows, one after the other.
    pub fn flat(&self) -> &[f32] {
        &self.rows
    }

    /// How near a row is, in f32; higher is nearer.
    pub fn score(&self, query: &[f32], row: usize) -> f32 {
        let mut sums = [0.0_f32; LANES];
        let (a, b) = (query.as_chunks::<LANES>(), self.row(row).as_chunks::<LANES>());
        let l2 = self.metric == Metric::L2;
        let mut add = |a: &[f32], b: &[f32]| {
            for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
                *sum += if l2 { -(a - b) * (a - b) } else { a * b };
            }
        };
        for (a, b) in a.0.iter().zip(b.0) {
            add(a, b);
        }
        add(a.1, b.1);
        sums.iter().sum()
    }

    /// The scores of each query's nearest rows among those that `keep` lets pass, best first.
    pub fn nearest(&self, keep: &[&dyn Fn(usize) -> bool]) -> Vec<Truth> {
        let mut tops: Vec<Vec<TopK<()>>> = keep
            .iter()
            .map(|_| self.queries.iter().map(|_| TopK::new(DEEPEST)).collect())
            .collect();
        for start in (0..self.len()).step_by(BLOCK) {
            for (which, query) in self.queries.iter().enumerate() {
                for row in start..self.len().min(start + BLOCK) {
                    let score = self.score(query, row);
                    for (tops, keep) in tops.iter_mut().zip(keep) {
                        if score > tops[which].threshold() && keep(row) {
                            tops[which].push(score, row as u64, ());
                        }
                    }
                }
            }
        }
        tops.into_iter().map(Truth::of).collect()
    }
}

/// For each query the scores of its true nearest, best first.
#[derive(Debug)]
pub struct Truth(Vec<Vec<f32>>);

impl Truth {
    fn of(tops: Vec<TopK<()>>) -> Self {
        let scores = |top: TopK<()>| top.into_sorted().iter().map(|best| best.score).collect();
        Self(tops.into_iter().map(scores).collect())
    }

    /// How many of a query's `k` nearest are among `rows`. By score, so that of equally near rows any will do.
    pub fn found(&self, set: &Vectors, query: usize, k: usize, rows: &[u32]) -> usize {
        let truth = &self.0[query];
        let Some(&last) = truth.get(..k.min(truth.len())).and_then(<[f32]>::last) else {
            return 0;
        };
        let near = |row: &&u32| set.score(&set.queries[query], **row as usize) >= last;
        rows.iter().filter(near).count().min(k)
    }
}

/// A row's random word: decides whether it is deleted and whether it passes the filter.
pub fn tag(row: usize) -> u64 {
    Noise::new(TAG_SEED ^ row as u64).bits()
}

/// Half of all rows.
pub fn is_deleted(tag: u64) -> bool {
    tag.is_multiple_of(2)
}

/// One row of twenty, independent of the deletes.
pub fn passes_filter(tag: u64) -> bool {
    (tag >> 1).is_multiple_of(20)
}

#[cfg(test)]
#[path = "vectors_test.rs"]
mod tests;
