//! Our side: partitions that are appended to, sealed, built and merged as those of a shard.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, ensure};
use covey_ann::{IndexSpec, encode_row};
use covey_embeddings::{Partition, PartitionOptions, RowMeta, SearchRequest, SpaceSpec, Step, View};
use covey_env::Env;
use covey_shared::ids::{ModelEpoch, PostId, UserId, Version};
use covey_shared::slots::Slot;
use tempfile::TempDir;

use crate::cpu;
use crate::say;
use crate::vectors::{Vectors, is_deleted, passes_filter, tag};

/// Rows of a full tail; of it and of what is merged from it the tiers follow.
const TAIL: usize = 8192;

/// A partition with all rows of a data set.
pub struct Shard {
    /// Held for the view: its maps lie there.
    _dir: Option<TempDir>,
    path: PathBuf,
    space: SpaceSpec,
    options: PartitionOptions,
    partition: Partition,
    view: Arc<View>,
    /// CPU of sealing, building, measuring and merging.
    pub build_cpu_s: f64,
}

impl Shard {
    /// All rows in one segment, nothing in the tail: eight parts are sealed and merged.
    pub fn merged(env: &Env, set: &Vectors, index: &IndexSpec) -> anyhow::Result<Self> {
        let defaults = PartitionOptions::default();
        let options = PartitionOptions {
            index: index.clone(),
            seal_rows: set.len().div_ceil(defaults.merge_factor),
            max_segment_rows: defaults.max_segment_rows.max(set.len()),
            ..defaults
        };
        say!(
            "seal, build and merge a partition of {} rows into one segment",
            set.len()
        );
        let mut shard = Self::open(env, set, options)?;
        shard.fill(set)?;
        shard.partition.seal();
        shard.maintain()?;
        let status = shard.partition.reader().status();
        ensure!(
            (status.segments, status.unsealed_rows, status.rows) == (1, 0, set.len() as u64),
            "the rows did not end in one segment: {status:?}"
        );
        Ok(shard)
    }

    /// As after a long time of appending: the tail is full, and there are segments of all sizes.
    pub fn steady(env: &Env, set: &Vectors, index: &IndexSpec) -> anyhow::Result<Self> {
        let defaults = PartitionOptions::default();
        let options = PartitionOptions {
            index: index.clone(),
            seal_rows: set.len().div_ceil((set.len() / TAIL).max(2)),
            ..defaults
        };
        let mut shard = Self::open(env, set, options)?;
        shard.fill(set)?;
        let status = shard.partition.reader().status();
        say!(
            "steady: {} segments and a tail of {} rows",
            status.segments,
            status.unsealed_rows
        );
        ensure!(status.unsealed_rows > 0, "the tail is empty: {status:?}");
        Ok(shard)
    }

    /// The same files opened a second time, with half of the posts deleted meanwhile.
    pub fn half_deleted(&self, env: &Env) -> anyhow::Result<Self> {
        let live = |meta: &RowMeta| !is_deleted(meta.tag);
        let (space, options) = (self.space.clone(), self.options.clone());
        let (partition, report) = Partition::open(env.clone(), self.path.clone(), space, options, &live)?;
        say!("open it again without half of the posts: {} are left", report.live_rows);
        Ok(Self {
            _dir: None,
            path: self.path.clone(),
            space: self.space.clone(),
            options: self.options.clone(),
            view: partition.reader().view(),
            partition,
            build_cpu_s: 0.0,
        })
    }

    fn open(env: &Env, set: &Vectors, options: PartitionOptions) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir().context("no temporary folder; TMPDIR says where")?;
        let path = dir.path().join("partition");
        let space = SpaceSpec {
            name: "bench".into(),
            dim: set.dim,
            metric: set.metric,
            model_epoch: ModelEpoch(1),
        };
        let (partition, _) = Partition::open(env.clone(), path.clone(), space.clone(), options.clone(), &|_| true)?;
        Ok(Self {
            _dir: Some(dir),
            path,
            space,
            options,
            view: partition.reader().view(),
            partition,
            build_cpu_s: 0.0,
        })
    }

    /// Appends all rows; the maintenance follows each seal at once.
    fn fill(&mut self, set: &Vectors) -> anyhow::Result<()> {
        for row in 0..set.len() {
            let author = UserId(row as u64 % 9973 + 1);
            let meta = RowMeta {
                post: PostId(row as u64 + 1),
                author,
                version: Version(1),
                tag: tag(row),
                slot: Slot::of(author),
            };
            self.partition
                .append(meta, &encode_row(set.metric, set.dim, set.row(row))?)?;
            if row % self.options.seal_rows == 0 {
                self.maintain()?;
            }
        }
        self.maintain()
    }

    fn maintain(&mut self) -> anyhow::Result<()> {
        let maintainer = self.partition.maintainer();
        loop {
            let (step, seconds) = cpu::seconds(|| maintainer.step());
            self.build_cpu_s += seconds;
            if step? == Step::Idle {
                self.view = self.partition.reader().view();
                return Ok(());
            }
        }
    }

    /// The nearest `k`; with `filtered` only rows that pass the filter. Answers row numbers.
    pub fn search(&self, query: &[f32], k: usize, filtered: bool, out: &mut Vec<u32>) -> anyhow::Result<()> {
        let keep: &dyn Fn(&RowMeta) -> bool = &|meta| passes_filter(meta.tag);
        let request = SearchRequest {
            keep: filtered.then_some(keep),
            ..SearchRequest::nearest(k)
        };
        let outcome = self.view.search(query, &request)?;
        out.clear();
        out.extend(outcome.hits.iter().map(|hit| (hit.meta.post.0 - 1) as u32));
        Ok(())
    }

    /// Bytes of all index files.
    pub fn index_bytes(&self, env: &Env) -> anyhow::Result<u64> {
        let mut bytes = 0;
        for folder in env.disk.list(&self.path)?.iter().filter(|entry| entry.is_dir) {
            let file = folder.path.join("ann.faiss");
            if env.disk.exists(&file)? {
                bytes += env.disk.open(&file, covey_env::OpenMode::Read)?.len()?;
            }
        }
        Ok(bytes)
    }
}
