//! The data sets: read where they are, or generated from a seed.

use std::io::Read;
use std::path::Path;

use anyhow::Context;
use covey_ann::Metric;
use covey_ann::conformance::Noise;
use covey_env::Disk;

use crate::args::Dataset;
use crate::say;
use crate::vectors::Vectors;
use crate::{fvecs, idx};

/// As seen from the root of the repository, where `./dev` runs the benchmark.
const GLOVE: &str = "../shared/data/vectors/glove6b-100d-top50k.fvecs";
/// Where Debian's dataset-fashion-mnist puts its files.
const FASHION: &str = "/usr/share/datasets/fashion-mnist";
/// Read at most: four times the largest file.
const MAX_FILE: u64 = 1 << 30;
/// Queries of a data set.
const QUERIES: usize = 500;
const SEED: u64 = 20_260_101;
const DIM: usize = 128;

/// A data set, or what to do to have it.
pub enum Loaded {
    /// Here it is.
    Set(Vectors),
    /// It is not on this machine.
    Missing {
        /// What was looked for.
        path: String,
        /// How to get it.
        install: &'static str,
    },
}

/// Reads or generates a data set; `rows` is the size of a generated one.
///
/// # Errors
/// A file that is there but cannot be read, or is not what it should be.
pub fn load(disk: &dyn Disk, dataset: Dataset, rows: u64) -> anyhow::Result<Loaded> {
    match dataset {
        Dataset::Glove => glove(disk),
        Dataset::FashionMnist => fashion(disk),
        Dataset::Generated => Ok(Loaded::Set(generated(rows as usize))),
    }
}

/// Every hundredth word asks, the others are the rows.
fn glove(disk: &dyn Disk) -> anyhow::Result<Loaded> {
    if !disk.exists(Path::new(GLOVE))? {
        return Ok(Loaded::Missing {
            path: GLOVE.into(),
            install: "put word vectors in fvecs format there",
        });
    }
    let bytes = disk.read_file(Path::new(GLOVE), MAX_FILE).context(GLOVE)?;
    let (dim, vectors) = fvecs::read(&bytes).context(GLOVE)?;
    let asks = vectors.len() / QUERIES;
    let (queries, rows): (Vec<_>, Vec<_>) = vectors.into_iter().enumerate().partition(|(i, _)| i % asks.max(2) == 1);
    let strip = |numbered: Vec<(usize, Vec<f32>)>| numbered.into_iter().map(|(_, vector)| vector);
    Ok(Loaded::Set(Vectors::new(
        Metric::Cosine,
        dim,
        strip(rows),
        strip(queries),
    )))
}

/// The training pictures are the rows, the first test pictures ask, as in ann-benchmarks.
fn fashion(disk: &dyn Disk) -> anyhow::Result<Loaded> {
    let path = |name: &str| format!("{FASHION}/{name}-images-idx3-ubyte.gz");
    let (train, test) = (path("train"), path("t10k"));
    if !disk.exists(Path::new(&train))? || !disk.exists(Path::new(&test))? {
        return Ok(Loaded::Missing {
            path: train,
            install: "install it with: apt-get install dataset-fashion-mnist",
        });
    }
    let (dim, rows) = pictures(disk, &train).with_context(|| train.clone())?;
    let (_, queries) = pictures(disk, &test).with_context(|| test.clone())?;
    let queries = queries.into_iter().take(QUERIES);
    Ok(Loaded::Set(Vectors::new(Metric::L2, dim, rows.into_iter(), queries)))
}

fn pictures(disk: &dyn Disk, path: &str) -> anyhow::Result<(usize, Vec<Vec<f32>>)> {
    let packed = disk.read_file(Path::new(path), MAX_FILE)?;
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(&packed[..])
        .take(MAX_FILE)
        .read_to_end(&mut bytes)?;
    Ok(idx::read(&bytes)?)
}

/// Normalised vectors of 128 dimensions around 2000 centres; a few clusters are large and most are small, and each is
/// wide in some directions and narrow in others. Hard: many rows of a cluster are about equally near.
fn generated(rows: usize) -> Vectors {
    say!("generate {rows} rows from seed {SEED}");
    let mut source = Clusters::new(SEED, 2000);
    let all: Vec<Vec<f32>> = (0..QUERIES).map(|_| source.vector()).collect();
    let rows = (0..rows).map(|_| source.vector());
    Vectors::new(Metric::Cosine, DIM, rows, all.into_iter())
}

struct Cluster {
    centre: Vec<f32>,
    widths: Vec<f32>,
}

struct Clusters {
    noise: Noise,
    clusters: Vec<Cluster>,
    /// Share of the rows in this cluster and those before it.
    shares: Vec<f64>,
}

impl Clusters {
    fn new(seed: u64, count: usize) -> Self {
        let mut noise = Noise::new(seed);
        let clusters = (0..count)
            .map(|_| Cluster {
                centre: (0..DIM).map(|_| normal(&mut noise)).collect(),
                widths: (0..DIM).map(|_| 0.75 * (1.0 + 0.8 * noise.uniform())).collect(),
            })
            .collect();
        let weights = (0..count).map(|rank| 1.0 / (rank as f64 + 10.0));
        let mut sum = 0.0;
        let mut shares: Vec<f64> = weights
            .map(|weight| {
                sum += weight;
                sum
            })
            .collect();
        shares.iter_mut().for_each(|share| *share /= sum);
        Self {
            noise,
            clusters,
            shares,
        }
    }

    fn vector(&mut self) -> Vec<f32> {
        let point = (self.noise.bits() >> 11) as f64 / (1_u64 << 53) as f64;
        let which = self.shares.partition_point(|&share| share <= point);
        let cluster = &self.clusters[which.min(self.clusters.len() - 1)];
        let pairs = cluster.centre.iter().zip(&cluster.widths);
        pairs
            .map(|(centre, width)| centre + width * normal(&mut self.noise))
            .collect()
    }
}

/// Normally distributed, by the method of Box and Muller.
fn normal(noise: &mut Noise) -> f32 {
    let radius = (-2.0 * (1.0 - (noise.uniform() + 1.0) / 2.0).ln()).sqrt();
    radius * (std::f32::consts::PI * noise.uniform()).cos()
}

#[cfg(test)]
#[path = "datasets_test.rs"]
mod tests;
