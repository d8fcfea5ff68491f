//! The baseline: faiss' HNSW32,Flat over the same vectors in f32, in this process.

use std::path::Path;

use anyhow::{Context, ensure};
use covey_ann::{AnnIndex, FaissIndex, Neighbour, SearchParams};
use covey_env::Disk;

use crate::cpu;
use crate::say;
use crate::vectors::{Truth, Vectors};

/// What faiss is asked to build.
const FACTORY: &str = "HNSW32,Flat";
/// efSearch, ascending.
pub const EFFORTS: [usize; 16] = [
    10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 896, 1280, 1792,
];
/// Read at most: ten million rows of 784 dimensions.
const MAX_FILE: u64 = 64 << 30;
/// Vectors per addition; progress is told once in a while between two.
const CHUNK: usize = 2000;

/// A graph over all rows.
pub struct Hnsw {
    index: FaissIndex,
    /// CPU of the build.
    pub build_cpu_s: f64,
    /// Bytes of the written index: vectors and links.
    pub bytes: usize,
    /// Recall@10 at the efforts that were tried, as many as were needed.
    pub recalls: Vec<f64>,
}

impl Hnsw {
    /// Builds it with one thread.
    pub fn build(set: &Vectors) -> anyhow::Result<Self> {
        say!("build {FACTORY} over {} rows; it takes the longest", set.len());
        let mut index = FaissIndex::create(set.metric, set.dim, FACTORY).context("HNSW cannot be made")?;
        let mut build_cpu_s = 0.0;
        let mut told = 0;
        for chunk in set.flat().chunks(CHUNK * set.dim) {
            let (added, seconds) = cpu::seconds(|| index.add(chunk, 1));
            added?;
            build_cpu_s += seconds;
            let tenth = index.len() * 10 / set.len();
            if tenth > told {
                told = tenth;
                say!("  {} % after {build_cpu_s:.0} CPU seconds", tenth * 10);
            }
        }
        let bytes = index.save()?.len();
        Ok(Self {
            index,
            build_cpu_s,
            bytes,
            recalls: Vec::new(),
        })
    }

    /// Takes the index from `file` if an earlier run left it there, with the CPU that its build took; else builds it and
    /// leaves it there.
    pub fn kept(disk: &dyn Disk, file: &Path, set: &Vectors) -> anyhow::Result<Self> {
        let shown = file.display();
        if disk.exists(file)? {
            let bytes = disk.read_file(file, MAX_FILE)?;
            let (seconds, bytes) = bytes
                .split_first_chunk()
                .with_context(|| format!("{shown} is too short"))?;
            let index =
                FaissIndex::load(set.metric, set.dim, bytes).with_context(|| format!("{shown} does not load"))?;
            ensure!(index.len() == set.len(), "{shown} has {} rows; remove it", index.len());
            say!("take {FACTORY} from {shown}");
            let build_cpu_s = f64::from_le_bytes(*seconds);
            let (bytes, recalls) = (bytes.len(), Vec::new());
            return Ok(Self {
                index,
                build_cpu_s,
                bytes,
                recalls,
            });
        }
        let built = Self::build(set)?;
        let mut bytes = built.build_cpu_s.to_le_bytes().to_vec();
        bytes.extend(built.index.save()?);
        disk.replace_file(file, &bytes)
            .with_context(|| format!("{shown} cannot be written"))?;
        Ok(built)
    }

    /// Ten hits with this efSearch.
    pub fn search(&self, query: &[f32], ef: usize, out: &mut Vec<Neighbour>) -> anyhow::Result<()> {
        let params = SearchParams {
            nprobe: 1,
            ef,
            ..SearchParams::default()
        };
        Ok(self.index.search(query, 10, &params, None, out)?)
    }

    /// Tries harder and harder until recall@10 is at least `recall`.
    pub fn sweep(&mut self, set: &Vectors, truth: &Truth, recall: f64) -> anyhow::Result<()> {
        let mut out = Vec::new();
        for ef in EFFORTS {
            let mut found = 0;
            for (number, query) in set.queries.iter().enumerate() {
                self.search(query, ef, &mut out)?;
                let rows: Vec<u32> = out.iter().map(|neighbour| neighbour.row).collect();
                found += truth.found(set, number, 10, &rows);
            }
            let reached = found as f64 / (set.queries.len() * 10) as f64;
            say!("HNSW with efSearch {ef} finds {reached:.4}");
            self.recalls.push(reached);
            if reached >= recall {
                return Ok(());
            }
        }
        say!("HNSW does not reach recall {recall:.3}: its cost at the hardest effort is given, too low a figure");
        Ok(())
    }
}
