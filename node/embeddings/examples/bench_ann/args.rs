//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use covey_ann::DEFAULT_INDEX;

/// Least rows: below this the parts of a partition are too small for an index.
const MIN_ROWS: u64 = 40_000;
const MAX_ROWS: u64 = 10_000_000;

/// What the vectors are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Dataset {
    /// Word vectors.
    Glove,
    /// Pictures of clothes.
    FashionMnist,
    /// Seeded clusters.
    Generated,
}

impl Dataset {
    /// As in the report.
    pub fn name(self) -> &'static str {
        match self {
            Dataset::Glove => "glove",
            Dataset::FashionMnist => "fashion-mnist",
            Dataset::Generated => "generated",
        }
    }
}

/// Measures the vector index of a shard against faiss' HNSW32,Flat: CPU time per query at equal recall, memory, build.
#[derive(Debug, Parser)]
#[command(name = "./dev bench ann")]
pub struct Args {
    /// One JSON array on standard output instead of a table for each data set
    #[arg(long)]
    pub json: bool,
    /// Rows of the generated data set; a million takes about a quarter of an hour, nearly all of it HNSW's build
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(MIN_ROWS..=MAX_ROWS))]
    pub rows: u64,
    /// Only these data sets; by default all that are there
    #[arg(long = "dataset", value_name = "NAME", num_args = 1..)]
    dataset: Vec<Dataset>,
    /// The partition's index, as in the config
    #[arg(long, value_name = "FACTORY", default_value = DEFAULT_INDEX)]
    pub index: String,
    /// Keep HNSW's index in this folder, or take it from there with the CPU that its build took then
    #[arg(long, value_name = "FOLDER")]
    pub keep_hnsw: Option<PathBuf>,
}

impl Args {
    /// The data sets to measure.
    pub fn datasets(&self) -> Vec<Dataset> {
        if self.dataset.is_empty() {
            return Dataset::value_variants().to_vec();
        }
        self.dataset.clone()
    }
}

#[cfg(test)]
#[path = "args_test.rs"]
mod tests;
