//! The state of the node, as `covey status` and the coordinators' routing see it.

use std::sync::Arc;

use covey_embeddings::PartitionStatus;
use covey_shard::ShardStats;
use covey_shared::ids::ModelEpoch;
use covey_shared::members::ShardDescriptor;
use covey_shared::wire::{DiskStatus, MemoryPart, MemoryStatus, NodeStatus, ReplicaStatus, SpaceStatus};
use covey_store::kv::KvUsage;

use super::calls::NodeHandle;
use crate::replicas::Replica;

impl NodeHandle {
    pub(super) fn status(&self) -> NodeStatus {
        let now = self.env.clock.monotonic();
        // Figures that cannot be read are shown as 0, which the fields' docs say.
        let process = covey_telemetry::process_stats().unwrap_or_default();
        let kv = self.kv.usage().unwrap_or_default();
        let with_stats = |replica: Arc<Replica>| (replica.view().stats(), replica);
        let stats: Vec<(ShardStats, Arc<Replica>)> = self.replicas.all().into_iter().map(with_stats).collect();
        NodeStatus {
            cluster: self.cluster,
            node: self.node,
            release: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_ms: u64::try_from(now.since(self.started).as_millis()).unwrap_or(u64::MAX),
            resident_bytes: process.resident_bytes,
            cpu_us: process.cpu_us,
            wal_bytes: self.board.log_bytes(),
            kv_bytes: kv.disk_bytes,
            replicas: stats
                .iter()
                .filter_map(|(stats, replica)| self.replica(replica, stats))
                .collect(),
            disk: self.board.disk().map(|room| DiskStatus {
                free_bytes: room.space.free,
                total_bytes: room.space.total,
                low: room.low,
            }),
            rebuilds: self.pulls.status(now),
            scrubs: self.scrubs.status(now),
            memory: MemoryStatus {
                anonymous_bytes: process.anonymous_bytes,
                file_bytes: process.file_bytes,
                budget_bytes: self.memory_budget,
                parts: self.memory(&stats, &kv),
            },
            start: self.start.clone(),
            builds: self.builds_status(),
            disk_speed: self.board.stalls.status(now),
            directory: self.nodes.version(),
            settings: self.settings.version(),
        }
    }

    /// What each replica takes, and what they share.
    fn memory(&self, stats: &[(ShardStats, Arc<Replica>)], kv: &KvUsage) -> Vec<MemoryPart> {
        let heap = |shard, part: &str, heap_bytes| MemoryPart {
            shard,
            part: part.to_owned(),
            heap_bytes,
            mapped_bytes: 0,
        };
        let mut parts = Vec::new();
        for (stats, replica) in stats {
            let shard = Some(replica.shard);
            let of_store = stats.memory.iter().map(|part| MemoryPart {
                mapped_bytes: part.mapped_bytes,
                ..heap(shard, part.part, part.heap_bytes)
            });
            parts.extend(of_store);
            let log = self.board.get(replica.shard).map_or(0, |group| group.log_bytes);
            parts.push(heap(shard, "log", log));
        }
        parts.extend([
            heap(None, "store memtables", kv.memtable_bytes),
            heap(None, "store cache", kv.cache_bytes),
            heap(None, "store indexes", kv.index_bytes),
        ]);
        parts
    }

    fn replica(&self, replica: &Replica, stats: &ShardStats) -> Option<ReplicaStatus> {
        let shard = replica.shard;
        let raft = self.board.get(shard)?;
        let staleness = self.board.staleness(shard, self.env.clock.monotonic());
        Some(ReplicaStatus {
            shard,
            replica: replica.me,
            descriptor: ShardDescriptor::clone(&raft.descriptor),
            role: raft.role,
            leader: raft.leader,
            term: raft.term,
            first_index: raft.first,
            committed: raft.committed,
            applied: raft.applied,
            posts: stats.posts,
            users: stats.users,
            outbox: stats.outbox,
            staleness_ms: u32::try_from(staleness.as_millis()).unwrap_or(u32::MAX),
            spaces: vec![space(&self.content, &stats.content)],
        })
    }
}

fn space(name: &str, partition: &PartitionStatus) -> SpaceStatus {
    SpaceStatus {
        space: name.to_owned(),
        model_epoch: ModelEpoch(0),
        rows: partition.live_rows,
        indexed_rows: partition.ivf_rows,
        segments: partition.segments,
        building: partition.building,
        recall: partition.last_recall.unwrap_or(1.0),
        seals: partition.seals,
        merges: partition.merges,
        damaged_rows: partition.damaged_rows,
        faulted_pages: partition.faulted_pages,
    }
}
