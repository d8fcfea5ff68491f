//! Builds and loads indexes: with faiss, or with the exact scan in its place.

use half::f16;

use crate::error::AnnError;
use crate::exact_scan::ExactScan;
use crate::faiss::FaissIndex;
use crate::index::{AnnIndex, Rows};
use crate::metric::Metric;
use crate::plan::IndexPlan;

/// Rows converted to f32 at a time: 2 MB at 128 dimensions, and the grain of cancellation.
const CHUNK: usize = 4096;

/// Which implementation stands behind [`AnnIndex`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// faiss.
    Faiss,
    /// A copy of the rows, scanned: no C++ in the simulator, and the oracle of the tests.
    ExactScan,
}

/// How to build.
pub struct BuildOptions<'a> {
    /// Metric of the space.
    pub metric: Metric,
    /// Padded dimension.
    pub dim: usize,
    /// Threads of faiss; 1 unless the builder has cores of its own.
    pub threads: usize,
    /// Asked between chunks; true calls the build off.
    pub cancelled: &'a (dyn Fn() -> bool + Sync),
}

impl Backend {
    /// Builds the planned index over the rows; `None` when the plan is to scan them.
    ///
    /// # Errors
    /// What faiss reports, or [`AnnError::Cancelled`].
    pub fn build(
        self,
        plan: &IndexPlan,
        rows: &dyn Rows,
        options: &BuildOptions<'_>,
    ) -> Result<Option<Box<dyn AnnIndex>>, AnnError> {
        let IndexPlan::Faiss { factory, sample } = plan else {
            return Ok(None);
        };
        match self {
            Backend::ExactScan => Ok(Some(Box::new(ExactScan::build(options.metric, options.dim, rows)))),
            Backend::Faiss => Ok(Some(Box::new(build_faiss(factory, *sample, rows, options)?))),
        }
    }

    /// Reads what [`AnnIndex::save`] of the same backend wrote.
    ///
    /// # Errors
    /// Damaged bytes, or an index of another space.
    pub fn load(self, metric: Metric, dim: usize, bytes: &[u8]) -> Result<Box<dyn AnnIndex>, AnnError> {
        match self {
            Backend::ExactScan => Ok(Box::new(ExactScan::load(metric, dim, bytes)?)),
            Backend::Faiss => Ok(Box::new(FaissIndex::load(metric, dim, bytes)?)),
        }
    }
}

fn build_faiss(
    factory: &str,
    sample: usize,
    rows: &dyn Rows,
    options: &BuildOptions<'_>,
) -> Result<FaissIndex, AnnError> {
    let mut index = FaissIndex::create(options.metric, options.dim, factory)?;
    let mut floats = Vec::new();
    let sample = sample.min(rows.len());
    if sample > 0 {
        // Evenly spread: rows come in order of time, and the whole span should be known to the lists.
        extend(&mut floats, (0..sample).map(|i| rows.row(i * rows.len() / sample)));
        check_cancelled(options)?;
        index.train(&floats, options.threads)?;
    }
    for start in (0..rows.len()).step_by(CHUNK) {
        check_cancelled(options)?;
        floats.clear();
        extend(&mut floats, (start..rows.len().min(start + CHUNK)).map(|i| rows.row(i)));
        index.add(&floats, options.threads)?;
    }
    Ok(index)
}

fn extend<'a>(floats: &mut Vec<f32>, rows: impl Iterator<Item = &'a [f16]>) {
    floats.extend(rows.flatten().map(|x| x.to_f32()));
}

fn check_cancelled(options: &BuildOptions<'_>) -> Result<(), AnnError> {
    if (options.cancelled)() {
        Err(AnnError::Cancelled)
    } else {
        Ok(())
    }
}
