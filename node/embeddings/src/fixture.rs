//! A partition in a temporary directory, and the truth it must agree with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use covey_ann::conformance::Clustered;
use covey_ann::{Backend, Metric, encode_row, prepare_query, score_row};
use covey_env::{Env, OpenMode};
use covey_shared::ids::{ModelEpoch, PostId, UserId, Version};
use covey_shared::slots::Slot;
use half::f16;
use tempfile::TempDir;

use crate::{Appended, OpenReport, Partition, PartitionError, PartitionOptions, RowMeta, SearchOutcome, Step};
use crate::{SearchRequest, SpaceSpec};

pub(crate) struct Fixture {
    pub(crate) dir: TempDir,
    pub(crate) space: SpaceSpec,
    pub(crate) options: PartitionOptions,
    pub(crate) partition: Option<Partition>,
    /// What must be found: the caller's durable truth.
    pub(crate) posts: BTreeMap<u64, (RowMeta, Vec<f16>)>,
    pub(crate) source: Clustered,
}

pub(crate) fn env() -> Env {
    Env::production(1).expect("a thread can be started")
}

pub(crate) fn space(dim: usize, metric: Metric) -> SpaceSpec {
    SpaceSpec {
        name: "content".into(),
        dim,
        metric,
        model_epoch: ModelEpoch(0),
    }
}

/// Flips one bit behind the partition's back.
pub(crate) fn damage(path: &Path, at: u64) {
    let file = env().disk.open(path, OpenMode::ReadWrite).expect("the file is there");
    let mut byte = [0];
    file.read_at(&mut byte, at).expect("it is so long");
    file.write_at(&[byte[0] ^ 0x10], at).expect("it can be written");
}

pub(crate) fn small_options() -> PartitionOptions {
    PartitionOptions {
        backend: Backend::ExactScan,
        seal_rows: 64,
        min_train_rows: 1,
        merge_factor: 2,
        max_segment_rows: 1000,
        recall_queries: 10,
        ..PartitionOptions::default()
    }
}

impl Fixture {
    pub(crate) fn new(dim: usize, metric: Metric, options: PartitionOptions) -> Self {
        let mut fixture = Self {
            dir: tempfile::tempdir().expect("there is room for a directory"),
            space: space(dim, metric),
            options,
            partition: None,
            posts: BTreeMap::new(),
            source: Clustered::new(42, dim, 200),
        };
        fixture.open().expect("an empty directory becomes a partition");
        fixture
    }

    pub(crate) fn open(&mut self) -> Result<OpenReport, PartitionError> {
        self.partition = None;
        let env = env();
        let posts = self.posts.clone();
        let live = |meta: &RowMeta| {
            posts
                .get(&meta.post.0)
                .is_some_and(|(known, _)| known.version == meta.version)
        };
        let dir = self.dir.path().join("part");
        let (partition, report) = Partition::open(env, dir, self.space.clone(), self.options.clone(), &live)?;
        self.partition = Some(partition);
        Ok(report)
    }

    /// A file of the partition.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join("part").join(name)
    }

    pub(crate) fn partition(&mut self) -> &mut Partition {
        self.partition.as_mut().expect("it is open")
    }

    pub(crate) fn put(&mut self, post: u64, version: u64) {
        let vector = self.source.vector();
        self.put_vector(post, version, &vector);
    }

    pub(crate) fn put_vector(&mut self, post: u64, version: u64, vector: &[f32]) {
        let author = UserId(post % 17 + 1);
        let meta = RowMeta {
            post: PostId(post),
            author,
            version: Version(version),
            tag: post % 100,
            slot: Slot::of(author),
        };
        let row = encode_row(self.space.metric, self.space.dim, vector).expect("the vector is sound");
        assert_eq!(self.partition().append(meta, &row), Ok(Appended::Stored));
        self.posts.insert(post, (meta, row));
    }

    pub(crate) fn delete(&mut self, post: u64) {
        let had = self.posts.remove(&post).is_some();
        assert_eq!(self.partition().delete(PostId(post)), had);
    }

    /// Runs the maintenance until nothing is left to do.
    pub(crate) fn settle(&mut self) -> Vec<Step> {
        let maintainer = self.partition().maintainer();
        let step = || {
            maintainer
                .step()
                .expect("the disk works and nobody stops the maintenance")
        };
        std::iter::from_fn(|| Some(step()).filter(|step| *step != Step::Idle)).collect()
    }

    pub(crate) fn search(&mut self, vector: &[f32], request: &SearchRequest<'_>) -> SearchOutcome {
        let view = self.partition().reader().view();
        view.search(vector, request).expect("the request is sound")
    }

    /// One pass over the truth: posts and score bits, in order.
    pub(crate) fn truth(&self, vector: &[f32], k: usize, keep: impl Fn(&RowMeta) -> bool) -> Vec<(u64, u32)> {
        let query = prepare_query(self.space.metric, self.space.dim, vector).expect("the vector is sound");
        let kept = self.posts.values().filter(|(meta, _)| keep(meta));
        let mut all: Vec<(f32, u64)> = kept
            .map(|(meta, row)| (score_row(self.space.metric, row, &query) + 0.0, meta.post.0))
            .collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        all.iter()
            .take(k)
            .map(|(score, post)| (*post, score.to_bits()))
            .collect()
    }

    /// The exact search agrees with the truth, order and bits included.
    pub(crate) fn check_exact(&mut self, k: usize) {
        let vector = self.source.vector();
        let outcome = self.search(
            &vector,
            &SearchRequest {
                exact: true,
                ..SearchRequest::nearest(k)
            },
        );
        assert_eq!(posts_and_scores(&outcome), self.truth(&vector, k, |_| true));
        assert!(!outcome.partial && outcome.segments == outcome.segments_searched);
    }

    /// Share of the true ten nearest that `request` finds.
    pub(crate) fn recall(&mut self, queries: usize, request: &SearchRequest<'_>) -> f64 {
        let mut found = 0;
        for _ in 0..queries {
            let vector = self.source.vector();
            let keep = |meta: &RowMeta| request.keep.is_none_or(|keep| keep(meta));
            let truth = self.truth(&vector, request.k, keep);
            let got = posts_and_scores(&self.search(&vector, request));
            found += truth.iter().filter(|hit| got.contains(hit)).count();
        }
        found as f64 / (queries * request.k) as f64
    }
}

pub(crate) fn posts_and_scores(outcome: &SearchOutcome) -> Vec<(u64, u32)> {
    outcome
        .hits
        .iter()
        .map(|found| (found.meta.post.0, found.score.get().to_bits()))
        .collect()
}
