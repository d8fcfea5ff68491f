//! Vectors and their index.

use std::time::Duration;

use crate::choice::choice;
use crate::section::section;

choice! {
    /// How two vectors are compared.
    pub enum Metric {
        /// Inner product; cosine for the normalised vectors of the built-in embedder.
        InnerProduct = "inner_product",
        /// Euclidean distance.
        L2 = "l2",
    }
}

section! {
    /// The content vector of a post. Fixed when the first post is stored.
    pub struct EmbeddingConfig = "embedding" {
        /// Components of a vector.
        dim: usize = 128, in 8..=2048;
        /// How two vectors are compared.
        metric: Metric = "inner_product", in ..;
    }
}

section! {
    /// Nearest-neighbour search inside a shard.
    pub struct AnnConfig = "ann" {
        /// faiss factory string of a sealed segment. {nlist}, the lists, and {parts}, of a code, are chosen; {dim} is the padded dimension.
        index: String = "IVF{nlist},PQ{parts}x4fsr", in ..;
        /// Rows after which the active tail is sealed. Until then it is scanned exactly.
        seal_rows: usize = 8192, in 64..=1_000_000;
        /// Segments with fewer rows are searched exactly, without an index.
        min_train_rows: usize = 4096, in 1..=1_000_000;
        /// Largest segment that merging makes.
        max_segment_rows: usize = 1_000_000, in 1024..=100_000_000;
        /// Segments of one tier that are merged into one of the next.
        merge_factor: usize = 8, in 2..=64;
        /// Not-yet-sealed rows at which a shard refuses proposals, as a multiple of seal_rows.
        max_unsealed: usize = 4, in 1..=64;
        /// Recall, measured after a build, below which a segment is searched exactly instead.
        min_recall: f64 = 0.9, in 0.0..=1.0;
        /// Recall that a search aims at within its deadline.
        recall_target: f64 = 0.95, in 0.0..=1.0;
        /// Sampled queries that measure the recall of a new index.
        recall_queries: usize = 200, in 10..=10_000;
        /// Hits of the index that are rescored exactly: what its recall was measured to take, at least kk_factor × k and kk_min.
        kk_factor: usize = 2, in 1..=64;
        /// Least hits of the index that are rescored exactly.
        kk_min: usize = 20, in 1..=10_000;
        /// Share of matching rows below which a filtered search scans them exactly.
        exact_below: f64 = 0.02, in 0.0..=1.0;
        /// Threads of the search pool of a node.
        search_threads: usize = 1, in 1..=256;
        /// Searches and reads of a node in work or waiting; one more is refused with a retry hint.
        search_permits: usize = 256, in 1..=65_536;
        /// Threads that build an index, in the background.
        build_threads: usize = 1, in 1..=64;
        /// Time between two looks for something to seal, build or merge.
        maintenance_interval: Duration = "1s", in "10ms"..="10m";
    }
}
