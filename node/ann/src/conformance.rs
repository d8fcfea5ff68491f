//! The suite that every index passes, and its seeded data.

use half::f16;

use crate::backend::{Backend, BuildOptions};
use crate::bitmap::Bitmap;
use crate::error::AnnError;
use crate::index::{AnnIndex, Neighbour, Rows, SearchParams};
use crate::kernels::score_row;
use crate::metric::{Metric, encode_row, padded_dim, prepare_query};
use crate::plan::IndexSpec;
use crate::top_k::TopK;

/// A seeded stream of numbers (splitmix64), the same for ever.
#[derive(Debug)]
pub struct Noise(u64);

impl Noise {
    /// A stream of its own per seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly in `[-1, 1)`.
    pub fn uniform(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }
}

/// Vectors in clusters, as real embeddings are.
#[derive(Debug)]
pub struct Clustered {
    centres: Vec<Vec<f32>>,
    noise: Noise,
}

impl Clustered {
    /// `clusters` random centres of `dim` dimensions.
    pub fn new(seed: u64, dim: usize, clusters: usize) -> Self {
        let mut noise = Noise::new(seed);
        let centres = (0..clusters)
            .map(|_| (0..dim).map(|_| noise.uniform()).collect())
            .collect();
        Self { centres, noise }
    }

    /// A vector near one of the centres.
    pub fn vector(&mut self) -> Vec<f32> {
        let centre = (self.noise.bits() % self.centres.len() as u64) as usize;
        self.centres[centre]
            .iter()
            .map(|x| x + 0.5 * self.noise.uniform())
            .collect()
    }
}

/// Encoded rows in memory.
#[derive(Debug, Clone)]
pub struct MemoryRows(pub Vec<Vec<f16>>);

impl Rows for MemoryRows {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn row(&self, index: usize) -> &[f16] {
        &self.0[index]
    }
}

impl MemoryRows {
    /// The exact answer, by one pass over all rows.
    pub fn brute_force(&self, metric: Metric, query: &[f32], k: usize, keep: impl Fn(usize) -> bool) -> Vec<u32> {
        let mut top = TopK::new(k);
        for (index, row) in self.0.iter().enumerate().filter(|(index, _)| keep(*index)) {
            top.push(score_row(metric, row, query), index as u64, ());
        }
        top.into_sorted().iter().map(|best| best.id as u32).collect()
    }
}

const DIM: usize = 50;
const ROWS: usize = 3000;
const SEED: u64 = 20_231;
/// Visits everything.
const HARDEST: SearchParams = SearchParams {
    nprobe: 65_536,
    ef: 1024,
    floor: f32::NEG_INFINITY,
};

struct Fixture {
    backend: Backend,
    metric: Metric,
    rows: MemoryRows,
    index: Box<dyn AnnIndex>,
    queries: Vec<Vec<f32>>,
}

/// Runs the whole suite for every metric.
///
/// # Panics
/// At the first broken promise, naming it.
pub fn run(backend: Backend, spec: &IndexSpec) {
    for metric in [Metric::InnerProduct, Metric::Cosine, Metric::L2] {
        let fixture = Fixture::build(backend, spec, metric);
        fixture.describes_itself();
        fixture.finds_the_nearest();
        fixture.honours_the_bitmap();
        fixture.answers_each_row_once_and_never_too_many();
        fixture.refuses_bad_searches();
        fixture.survives_saving();
        fixture.refuses_damaged_bytes();
        fixture.is_searched_by_many_threads();
    }
    cancelled_builds_end(backend, spec);
}

impl Fixture {
    fn build(backend: Backend, spec: &IndexSpec, metric: Metric) -> Self {
        let mut source = Clustered::new(SEED, DIM, 60);
        let encode = |v: Vec<f32>| encode_row(metric, DIM, &v).expect("clustered vectors are sound");
        let rows = MemoryRows((0..ROWS).map(|_| encode(source.vector())).collect());
        let prepare = |v: Vec<f32>| prepare_query(metric, DIM, &v).expect("clustered vectors are sound");
        let queries = (0..50).map(|_| prepare(source.vector())).collect();
        let options = BuildOptions {
            metric,
            dim: padded_dim(DIM),
            threads: 1,
            cancelled: &|| false,
        };
        let plan = spec.plan(DIM, ROWS, 0);
        let index = backend
            .build(&plan, &rows, &options)
            .expect("the build works")
            .expect("the plan is an index");
        Self {
            backend,
            metric,
            rows,
            index,
            queries,
        }
    }

    fn search(&self, query: &[f32], k: usize, keep: Option<&Bitmap>) -> Vec<Neighbour> {
        let mut out = vec![Neighbour { row: 7, score: 7.0 }];
        self.index
            .search(query, k, &HARDEST, keep, &mut out)
            .expect("a sound search works");
        out.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.row.cmp(&b.row)));
        out
    }

    fn describes_itself(&self) {
        assert_eq!((self.index.len(), self.index.dim()), (ROWS, padded_dim(DIM)));
        assert_eq!(self.index.metric(), self.metric);
    }

    fn finds_the_nearest(&self) {
        let mut found = 0;
        for query in &self.queries {
            // Quantised scores are rough: the true ten must be among the best fifty.
            let got = self.search(query, 50, None);
            let truth = self.rows.brute_force(self.metric, query, 10, |_| true);
            found += truth.iter().filter(|row| got.iter().any(|n| n.row == **row)).count();
        }
        assert!(
            found >= 475,
            "{:?} found only {found} of 500 (seed {SEED})",
            self.metric
        );
    }

    fn honours_the_bitmap(&self) {
        let keep = Bitmap::from_fn(ROWS, |row| row % 10 == 3);
        for query in &self.queries {
            let got = self.search(query, 50, Some(&keep));
            assert!(
                !got.is_empty() && got.iter().all(|n| keep.get(n.row as usize)),
                "a filtered row came back"
            );
        }
        assert!(
            self.search(&self.queries[0], 10, Some(&Bitmap::zeros(ROWS))).is_empty(),
            "nothing may be kept"
        );
    }

    fn answers_each_row_once_and_never_too_many(&self) {
        for k in [1, 2, 100, ROWS + 5] {
            let got = self.search(&self.queries[0], k, None);
            assert!(got.len() <= k.min(ROWS) && !got.is_empty());
            let mut rows: Vec<u32> = got.iter().map(|n| n.row).collect();
            rows.sort_unstable();
            rows.dedup();
            assert_eq!(rows.len(), got.len(), "k {k}: a row came twice");
        }
    }

    fn refuses_bad_searches(&self) {
        let mut out = Vec::new();
        let mut search = |query: &[f32], k, keep: Option<&Bitmap>| {
            self.index
                .search(query, k, &HARDEST, keep, &mut out)
                .expect_err("a bad search is refused")
        };
        let query = &self.queries[0];
        assert!(matches!(
            search(&query[..DIM - 1], 5, None),
            AnnError::WrongDimension { .. }
        ));
        assert!(matches!(search(query, 0, None), AnnError::BadK { .. }));
        assert!(matches!(search(query, usize::MAX, None), AnnError::BadK { .. }));
        assert!(matches!(
            search(query, 5, Some(&Bitmap::zeros(ROWS - 1))),
            AnnError::WrongBitmap { .. }
        ));
        let mut nan = query.clone();
        nan[3] = f32::NAN;
        assert!(matches!(search(&nan, 5, None), AnnError::NotFinite { position: 3 }));
    }

    fn survives_saving(&self) {
        let bytes = self.index.save().expect("saving works");
        let dim = padded_dim(DIM);
        let loaded = self.backend.load(self.metric, dim, &bytes).expect("its own bytes load");
        assert_eq!((loaded.len(), loaded.kind()), (self.index.len(), self.index.kind()));
        let mut out = Vec::new();
        for query in &self.queries {
            loaded
                .search(query, 20, &HARDEST, None, &mut out)
                .expect("a loaded index answers");
            out.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.row.cmp(&b.row)));
            assert_eq!(out, self.search(query, 20, None), "the loaded index answers otherwise");
        }
        let other = if self.metric == Metric::L2 {
            Metric::InnerProduct
        } else {
            Metric::L2
        };
        assert!(matches!(
            self.backend.load(other, dim, &bytes),
            Err(AnnError::WrongIndex { .. })
        ));
        assert!(
            self.backend.load(self.metric, dim + 32, &bytes).is_err(),
            "another dimension"
        );
    }

    fn refuses_damaged_bytes(&self) {
        let bytes = self.index.save().expect("saving works");
        for length in [0, 1, 8, 40, bytes.len() / 2, bytes.len() - 1] {
            assert!(
                self.backend
                    .load(self.metric, padded_dim(DIM), &bytes[..length])
                    .is_err(),
                "cut at {length}"
            );
        }
    }

    fn is_searched_by_many_threads(&self) {
        let expected: Vec<_> = self.queries.iter().map(|query| self.search(query, 10, None)).collect();
        std::thread::scope(|scope| {
            for shift in 0..3 {
                let expected = &expected;
                scope.spawn(move || {
                    for turn in 0..self.queries.len() {
                        let which = (turn + shift * 7) % self.queries.len();
                        assert_eq!(self.search(&self.queries[which], 10, None), expected[which]);
                    }
                });
            }
        });
    }
}

fn cancelled_builds_end(backend: Backend, spec: &IndexSpec) {
    let rows = MemoryRows(vec![vec![f16::ONE; padded_dim(DIM)]; ROWS]);
    let options = BuildOptions {
        metric: Metric::L2,
        dim: padded_dim(DIM),
        threads: 1,
        cancelled: &|| true,
    };
    // An exact copy may be made before anybody could cancel it.
    if backend == Backend::Faiss {
        let result = backend.build(&spec.plan(DIM, ROWS, 0), &rows, &options);
        assert!(matches!(result, Err(AnnError::Cancelled)), "a cancelled build went on");
    }
}
