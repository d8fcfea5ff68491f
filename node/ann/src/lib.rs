//! Nearest neighbours: faiss behind a small shim, exact scan, kernels.
//!
//! Rows are f16 of a padded dimension, queries f32. Scores are "higher is nearer" for every metric.

mod backend;
mod bitmap;
pub mod conformance;
mod error;
mod exact_scan;
mod faiss;
mod index;
mod kernels;
mod metric;
mod plan;
mod platform;
mod top_k;

pub use backend::{Backend, BuildOptions};
pub use bitmap::Bitmap;
pub use error::AnnError;
pub use exact_scan::ExactScan;
pub use faiss::FaissIndex;
pub use faiss::avx2::prefetch;
pub use index::{AnnIndex, IndexKind, MAX_K, Neighbour, Rows, SearchParams};
pub use kernels::{score_row, score_rows};
pub use metric::{LANES, MAX_ELEMENT, Metric, encode_row, padded_dim, prepare_query};
pub use plan::{DEFAULT_INDEX, IndexPlan, IndexSpec};
pub use platform::{SIMULATE_NO_AVX2, check_cpu, ensure_single_threaded_env};
pub use top_k::{Ranked, TopK};
