//! How a replica of the crash matrix is set up: small, so that short runs roll, seal, merge and drop.

use std::path::Path;
use std::time::Duration;

use covey_ann::{AnnError, Backend, IndexSpec, Metric};
use covey_embeddings::{PartitionOptions, SpaceSpec};
use covey_shard::{ImpressionOptions, InNetworkLimits, ShardLimits, ShardOptions};
use covey_shared::ids::*;
use covey_shared::members::{Members, ShardDescriptor};
use covey_shared::slots::SlotRange;
use covey_store::log::WalOptions;
use rand::Rng;
use rand::rngs::SmallRng;

/// Dimension of the vectors.
pub(super) const DIM: usize = 8;
/// The one shard.
pub(super) const SHARD: ShardId = ShardId(7);

/// What differs from seed to seed.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    segment_bytes: usize,
    recycle: usize,
    partition: PartitionOptions,
}

impl Settings {
    /// Some runs have one tail throughout, others small segments with or without indexes.
    pub(super) fn random(rng: &mut SmallRng) -> Result<Settings, AnnError> {
        let factory = if rng.random_bool(0.5) { "HNSW8,Flat" } else { "Flat" };
        let partition = PartitionOptions {
            backend: Backend::ExactScan,
            index: IndexSpec::parse(factory, Metric::InnerProduct, DIM)?,
            seal_rows: if rng.random_bool(0.25) {
                1024
            } else {
                rng.random_range(4..24)
            },
            min_train_rows: 4,
            max_segment_rows: 64,
            merge_factor: rng.random_range(2..4),
            recall_queries: 4,
            ..PartitionOptions::default()
        };
        Ok(Settings {
            segment_bytes: 4096 << rng.random_range(1..4),
            recycle: rng.random_range(0..3),
            partition,
        })
    }

    pub(super) fn wal(&self) -> WalOptions {
        WalOptions {
            segment_bytes: self.segment_bytes,
            recycle: self.recycle,
            ..WalOptions::new(ClusterId(5), NodeId(6))
        }
    }

    pub(super) fn shard(&self) -> ShardOptions {
        ShardOptions {
            descriptor: ShardDescriptor {
                shard: SHARD,
                slots: SlotRange::ALL,
                epoch: ShardEpoch::default(),
                members: Members::of([ReplicaId(1)]),
            },
            generation: Generation(1),
            content: SpaceSpec {
                name: "content".into(),
                dim: DIM,
                metric: Metric::InnerProduct,
                model_epoch: ModelEpoch(0),
            },
            partition: self.partition.clone(),
            action_memory: Duration::from_secs(60),
            served_memory: Duration::from_secs(600),
            popular_half_life: Duration::from_secs(3600),
            active_half_life: Duration::from_secs(1800),
            small_author_followers: 2,
            limits: ShardLimits {
                actions: 16,
                served_deltas: 4,
                follows: 8,
                trim_records: 20,
                ..ShardLimits::default()
            },
            in_network: InNetworkLimits {
                scan_per_author: 12,
                originals_per_author: 5,
                secondary_per_author: 3,
            },
            impressions: ImpressionOptions {
                per_generation: 20,
                generations: 2,
                false_positives: 0.01,
            },
        }
    }
}

/// Where the log lies.
pub(super) fn wal_dir() -> &'static Path {
    Path::new("/data/wal")
}

/// Where the key-value store lies.
pub(super) fn kv_dir() -> &'static Path {
    Path::new("/data/kv")
}

/// Where the vectors lie.
pub(super) fn shard_dir() -> &'static Path {
    Path::new("/data/shard-0007.1")
}
