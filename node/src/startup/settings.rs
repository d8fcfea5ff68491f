//! From `cluster.toml` to the options of each part.

use std::time::Duration;

use covey_ann::{AnnError, Backend, IndexSpec, Metric};
use covey_config::Config;
use covey_embeddings::{PartitionOptions, SpaceSpec};
use covey_metadata::Limits;
use covey_rpc::{ClassPermits, ClientOptions, RaftSenderOptions, ServeOptions};
use covey_shard::{ImpressionOptions, InNetworkLimits, ShardLimits, ShardOptions};
use covey_shared::ids::{Generation, ModelEpoch, NodeId};
use covey_shared::members::ShardDescriptor;

use crate::maintenance_actor::MaintenancePlan;
use crate::raft::RaftLimits;

/// One batch for a store: large enough to share its commit, small enough not to hold up other shards.
const APPLY_BATCH_BYTES: u64 = 4 << 20;
/// Entries that are worth a compaction record.
const COMPACT_STEP: u64 = 1000;

/// Limits of a node are shared evenly by its replicas.
fn share(config: &Config, of_node: u64) -> u64 {
    let replicas = u64::from(config.cluster.shards) * u64::from(config.cluster.replication);
    of_node * config.founders().count() as u64 / replicas.max(1)
}

pub(super) fn raft_limits(config: &Config) -> RaftLimits {
    let raft = &config.raft;
    RaftLimits {
        election_ticks: raft.election_ticks,
        heartbeat_ticks: raft.heartbeat_ticks,
        max_size_per_msg: raft.max_size_per_msg.as_u64(),
        max_inflight_msgs: raft.max_inflight_msgs,
        max_uncommitted_bytes: raft.max_uncommitted.as_u64(),
        apply_backlog_bytes: share(config, raft.apply_backlog.as_u64()),
        apply_batch_bytes: APPLY_BATCH_BYTES,
        keep_entries: raft.keep_entries,
        max_lag_bytes: share(config, raft.max_lag.as_u64()),
        compact_step: COMPACT_STEP.min(raft.keep_entries.max(1)),
    }
}

pub(super) fn maintenance(config: &Config) -> MaintenancePlan {
    MaintenancePlan {
        checkpoint: config.storage.checkpoint_interval,
        trim: config.retention.trim_interval,
        retention: config.retention.window,
        trim_step: config.retention.trim_step,
        mailbox: config.coordinator.mailbox,
    }
}

pub(super) fn operations(config: &Config) -> Limits {
    let operations = &config.operations;
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    Limits {
        max_down_ms: operations.max_down.map(millis),
        moves: operations.moves,
        move_limit_ms: millis(operations.move_limit),
        replicas: config.cluster.replication as usize,
    }
}

pub(super) fn serve(config: &Config, id: NodeId) -> ServeOptions {
    let rpc = &config.rpc;
    ServeOptions {
        max_frame: rpc.max_frame.as_usize(),
        max_connections: rpc.max_connections,
        permits: ClassPermits {
            query: rpc.query_permits,
            write: rpc.write_permits,
            bulk: rpc.bulk_permits,
            admin: rpc.bulk_permits,
        },
        idle_timeout: rpc.idle_timeout,
        ..ServeOptions::new(config.cluster.id(), id)
    }
}

pub(super) fn client(config: &Config, id: NodeId) -> ClientOptions {
    let rpc = &config.rpc;
    ClientOptions {
        max_frame: rpc.max_frame.as_usize(),
        connections: rpc.connections,
        connect_timeout: rpc.connect_timeout,
        in_flight: rpc.in_flight_per_node,
        backoff_min: rpc.backoff_min,
        backoff_max: rpc.backoff_max,
        ..ClientOptions::new(config.cluster.id(), id)
    }
}

pub(super) fn raft_sender(config: &Config, id: NodeId) -> RaftSenderOptions {
    let rpc = &config.rpc;
    RaftSenderOptions {
        max_frame: rpc.max_frame.as_usize(),
        queue_bytes: config.raft.peer_queue.as_usize(),
        connect_timeout: rpc.connect_timeout,
        backoff_min: rpc.backoff_min,
        backoff_max: rpc.backoff_max,
        ..RaftSenderOptions::new(config.cluster.id(), id)
    }
}

/// Name of the space of content vectors.
pub(super) const CONTENT: &str = "content";

/// Options of a replica. A new one begins as `descriptor` says; one that is there knows better.
///
/// # Errors
/// The configured index does not fit the space.
pub(super) fn shard(
    config: &Config,
    descriptor: ShardDescriptor,
    generation: Generation,
    backend: Backend,
) -> Result<ShardOptions, AnnError> {
    let (limits, feed) = (&config.limits, &config.feed);
    let metric = match config.embedding.metric {
        covey_config::Metric::InnerProduct => Metric::InnerProduct,
        covey_config::Metric::L2 => Metric::L2,
    };
    Ok(ShardOptions {
        descriptor,
        generation,
        content: SpaceSpec {
            name: CONTENT.to_owned(),
            dim: config.embedding.dim,
            metric,
            model_epoch: ModelEpoch(0),
        },
        partition: partition(config, backend, metric)?,
        action_memory: config.retention.action_memory,
        limits: ShardLimits {
            text_bytes: limits.text.as_usize(),
            media: limits.media,
            media_url_bytes: limits.media_url.as_usize(),
            keywords: limits.muted_keywords,
            keyword_bytes: limits.keyword.as_usize(),
            follows: u32::try_from(limits.follows).unwrap_or(u32::MAX),
            topics: u32::try_from(limits.topics).unwrap_or(u32::MAX),
            blocks: u32::try_from(limits.blocks).unwrap_or(u32::MAX),
            actions: u32::try_from(limits.actions).unwrap_or(u32::MAX),
            memory_bytes: share(config, config.storage.columns.as_u64()),
            ..ShardLimits::default()
        },
        in_network: InNetworkLimits {
            scan_per_author: feed.in_network.scan_per_author,
            originals_per_author: feed.in_network.originals_per_author,
            secondary_per_author: feed.in_network.secondary_per_author,
        },
        impressions: ImpressionOptions {
            per_generation: u32::try_from(feed.impressions.per_generation).unwrap_or(u32::MAX),
            generations: u32::try_from(feed.impressions.generations).unwrap_or(u32::MAX),
            false_positives: feed.impressions.false_positives,
        },
        served_memory: feed.served_suppression,
        popular_half_life: feed.popular.half_life,
        active_half_life: feed.active.half_life,
        small_author_followers: feed.new.max_followers,
    })
}

fn partition(config: &Config, backend: Backend, metric: Metric) -> Result<PartitionOptions, AnnError> {
    let ann = &config.ann;
    let index = match backend {
        Backend::Faiss => IndexSpec::parse(&ann.index, metric, config.embedding.dim)?,
        Backend::ExactScan => IndexSpec::default(),
    };
    Ok(PartitionOptions {
        backend,
        index,
        seal_rows: ann.seal_rows,
        min_train_rows: ann.min_train_rows,
        max_segment_rows: ann.max_segment_rows,
        merge_factor: ann.merge_factor,
        max_unsealed: ann.max_unsealed,
        min_recall: ann.min_recall,
        recall_target: ann.recall_target,
        recall_queries: ann.recall_queries,
        kk_factor: ann.kk_factor,
        kk_min: ann.kk_min,
        exact_below: ann.exact_below,
        build_threads: ann.build_threads,
    })
}
