//! Which index a segment gets.

use crate::error::AnnError;
use crate::faiss::FaissIndex;
use crate::metric::{Metric, padded_dim};

/// Rows k-means wants per list; below it faiss' own guidance says lists get poor.
const MIN_ROWS_PER_LIST: usize = 39;
/// Training rows per list.
const SAMPLE_PER_LIST: usize = 50;
/// Training rows that the codebooks alone need: 256 per centroid of a 4-bit quantiser.
const MIN_SAMPLE: usize = 256 * 16;
const MIN_LISTS: usize = 16;
const MAX_LISTS: usize = 65_536;

/// The configured `index` of a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexSpec {
    /// `IVF{lists},PQ{dim}x4fs` with lists by size.
    Auto,
    /// No index: sealed segments are scanned exactly.
    Flat,
    /// A faiss factory string; the lists of an `IVF…` are an upper bound for segments that are too small for them.
    Factory(String),
}

/// What to build for one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexPlan {
    /// Nothing: scan the rows.
    Flat,
    /// A faiss index.
    Faiss {
        /// Factory string.
        factory: String,
        /// Rows to train on, 0 if the index needs no training.
        sample: usize,
    },
}

impl IndexSpec {
    /// Reads the config value and lets faiss check it for this space.
    ///
    /// # Errors
    /// [`AnnError::BadFactory`] with the forms that work.
    pub fn parse(text: &str, metric: Metric, dim: usize) -> Result<Self, AnnError> {
        match text {
            "auto" => Ok(IndexSpec::Auto),
            "Flat" => Ok(IndexSpec::Flat),
            factory => {
                let bad = || AnnError::BadFactory { index: factory.into() };
                let lists_fit = lists_of(factory).is_none_or(|(lists, _)| (1..=MAX_LISTS).contains(&lists));
                if factory.len() > 64 || !lists_fit || !(factory.starts_with("IVF") || factory.starts_with("HNSW")) {
                    return Err(bad());
                }
                FaissIndex::create(metric, padded_dim(dim), factory).map_err(|_| bad())?;
                Ok(IndexSpec::Factory(factory.into()))
            }
        }
    }

    /// What a segment of `rows` rows gets; `Flat` below `min_train_rows`.
    pub fn plan(&self, dim: usize, rows: usize, min_train_rows: usize) -> IndexPlan {
        if rows < min_train_rows.max(MIN_LISTS * MIN_ROWS_PER_LIST) {
            return IndexPlan::Flat;
        }
        match self {
            IndexSpec::Flat => IndexPlan::Flat,
            IndexSpec::Auto => ivf(lists_for(rows), &format!(",PQ{}x4fs", padded_dim(dim)), rows),
            IndexSpec::Factory(factory) => match lists_of(factory) {
                Some((lists, rest)) => ivf(lists.min(rows / MIN_ROWS_PER_LIST), rest, rows),
                None => IndexPlan::Faiss {
                    factory: factory.clone(),
                    sample: 0,
                },
            },
        }
    }
}

fn ivf(lists: usize, rest: &str, rows: usize) -> IndexPlan {
    let sample = (lists * SAMPLE_PER_LIST).max(MIN_SAMPLE).min(rows);
    IndexPlan::Faiss {
        factory: format!("IVF{lists}{rest}"),
        sample,
    }
}

/// About 2·√rows, rounded down to a power of two: it gives the 1024 lists with which 340 k and 500 k rows were measured
/// best, and 256 for a freshly sealed segment of 16 k.
fn lists_for(rows: usize) -> usize {
    let wanted = (4 * rows)
        .isqrt()
        .min(rows / MIN_ROWS_PER_LIST)
        .clamp(MIN_LISTS, MAX_LISTS);
    1 << wanted.ilog2()
}

/// `IVF1024,PQ128x4fs` → (1024, ",PQ128x4fs").
fn lists_of(factory: &str) -> Option<(usize, &str)> {
    let rest = factory.strip_prefix("IVF")?;
    let digits = rest.find(|c: char| !c.is_ascii_digit())?;
    Some((rest[..digits].parse().ok()?, &rest[digits..]))
}

#[cfg(test)]
#[path = "plan_test.rs"]
mod tests;
