//! What can go wrong with vectors and indexes.

use crate::metric::Metric;

/// Errors of vectors, searches, index builds and the platform check.
#[derive(Debug, thiserror::Error)]
pub enum AnnError {
    /// A vector or query of another length than its space.
    #[error("the vector has {got} dimensions, this space has {expected}")]
    WrongDimension {
        /// Dimension of the space.
        expected: usize,
        /// Dimension that came.
        got: usize,
    },
    /// NaN, infinite, or too large for f16 (magnitude over 65504).
    #[error("element {position} of the vector is not a number within ±65504")]
    NotFinite {
        /// Index of the first offending element.
        position: usize,
    },
    /// All elements are zero, or vanish in f16: the vector has no direction.
    #[error("the vector is zero, or too small for half precision; it has no direction")]
    ZeroVector,
    /// `k` outside `1..=MAX_K`.
    #[error("k is {k}; it must be between 1 and {max}")]
    BadK {
        /// What was asked.
        k: usize,
        /// The bound.
        max: usize,
    },
    /// The keep-bitmap does not have one bit per row.
    #[error("the keep-bitmap has {got} bits, the index has {expected} rows")]
    WrongBitmap {
        /// Rows of the index.
        expected: usize,
        /// Bits of the bitmap.
        got: usize,
    },
    /// An index description that this build cannot serve.
    #[error("index `{index}` is not usable; give `IVF{{nlist}},PQ{{dim}}x4fs`, `Flat` or `HNSW32`")]
    BadFactory {
        /// The configured string.
        index: String,
    },
    /// Index bytes that do not belong to this space or are damaged.
    #[error("the index was saved for {what}; this space needs {expected_dim} dimensions, {expected_metric:?}")]
    WrongIndex {
        /// What the bytes say.
        what: String,
        /// Dimension of the space.
        expected_dim: usize,
        /// Metric of the space.
        expected_metric: Metric,
    },
    /// Saved bytes that are not an index.
    #[error("the saved index is damaged; it can be rebuilt from the rows")]
    Damaged,
    /// faiss refused or failed.
    #[error("faiss: {message}")]
    Faiss {
        /// faiss' own words.
        message: String,
    },
    /// faiss ran out of memory.
    #[error("faiss ran out of memory")]
    OutOfMemory,
    /// The build was called off.
    #[error("the index build was cancelled")]
    Cancelled,
    /// The CPU lacks instructions the binary was compiled for.
    #[error("this CPU lacks {missing}; Covey needs an x86-64 CPU with AVX2, FMA, F16C and POPCNT (2013 or later)")]
    CpuUnsupported {
        /// Comma-separated instruction sets.
        missing: String,
    },
    /// faiss was compiled without AVX2.
    #[error("faiss was compiled as `{options}`, without AVX2; build with the flags of .cargo/config.toml")]
    SlowFaiss {
        /// What faiss says of itself.
        options: String,
    },
    /// The environment still allows thread teams after the restart.
    #[error("{variable} is not 1 although the process restarted itself; set {variable}=1 and start again")]
    ThreadEnvironment {
        /// The variable.
        variable: &'static str,
    },
    /// The process could not restart itself.
    #[error(
        "the process could not restart itself with one thread per search; set OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1"
    )]
    Restart(#[source] std::io::Error),
}
