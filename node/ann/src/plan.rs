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

/// The index of a space unless the config says otherwise.
pub const DEFAULT_INDEX: &str = "IVF{nlist},PQ{parts}x4fsr";

/// The configured `index` of a space: a faiss factory string in which `{nlist}` stands for the lists that suit the
/// number of rows, `{dim}` for the padded dimension, and `{parts}` for the parts that its codes should have. `Flat` means
/// no index: sealed segments are scanned exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexSpec(String);

impl Default for IndexSpec {
    fn default() -> Self {
        Self(DEFAULT_INDEX.into())
    }
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
    /// Reads the config value and lets faiss check it for this space. A number of lists written out is an upper bound
    /// for segments that are too small for it.
    ///
    /// # Errors
    /// [`AnnError::BadFactory`] with the forms that work.
    pub fn parse(text: &str, metric: Metric, dim: usize) -> Result<Self, AnnError> {
        let bad = || AnnError::BadFactory {
            index: text.chars().take(64).collect(),
        };
        let spec = Self(text.into());
        if text == "Flat" {
            return Ok(spec);
        }
        let factory = spec.fill(dim, MIN_LISTS);
        let lists_fit = lists_of(&factory).is_none_or(|(lists, _)| (1..=MAX_LISTS).contains(&lists));
        let known = factory.starts_with("IVF") || factory.starts_with("HNSW");
        if factory.len() > 64 || !lists_fit || !known {
            return Err(bad());
        }
        FaissIndex::create(metric, padded_dim(dim), &factory).map_err(|_| bad())?;
        Ok(spec)
    }

    /// What a segment of `rows` rows gets; `Flat` below `min_train_rows`.
    pub fn plan(&self, dim: usize, rows: usize, min_train_rows: usize) -> IndexPlan {
        if self.0 == "Flat" || rows < min_train_rows {
            return IndexPlan::Flat;
        }
        let factory = self.fill(dim, lists_for(rows));
        match lists_of(&factory) {
            // Whatever the config says: lists cannot be learned from so few.
            Some(_) if rows < MIN_LISTS * MIN_ROWS_PER_LIST => IndexPlan::Flat,
            Some((lists, rest)) => ivf(lists.min(rows / MIN_ROWS_PER_LIST), rest, rows),
            None => IndexPlan::Faiss { factory, sample: 0 },
        }
    }

    fn fill(&self, dim: usize, lists: usize) -> String {
        self.0
            .replace("{nlist}", &lists.to_string())
            .replace("{dim}", &padded_dim(dim).to_string())
            .replace("{parts}", &parts_for(padded_dim(dim)).to_string())
    }
}

fn ivf(lists: usize, rest: &str, rows: usize) -> IndexPlan {
    let sample = (lists * SAMPLE_PER_LIST).max(MIN_SAMPLE).min(rows);
    IndexPlan::Faiss {
        factory: format!("IVF{lists}{rest}"),
        sample,
    }
}

/// About √rows, as a power of two: 1024 for a million rows, 256 for 64 k. Scoring the centre of a list takes as long as
/// scanning sixteen rows of codes, so more lists cost more than they save, and their training too.
fn lists_for(rows: usize) -> usize {
    let wanted = 1 << rows.max(1).ilog2().div_ceil(2);
    let most = (rows / MIN_ROWS_PER_LIST).clamp(MIN_LISTS, MAX_LISTS);
    wanted.clamp(MIN_LISTS, 1 << most.ilog2())
}

/// Two dimensions per part; four of many, where the error of each counts for less. With the candidates that measuring
/// the recall asks for, both cost less than one dimension per part, of 128 dimensions as of 800.
fn parts_for(padded_dim: usize) -> usize {
    padded_dim / if padded_dim <= 256 { 2 } else { 4 }
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
