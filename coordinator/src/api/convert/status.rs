//! The state of the cluster, put together from what the nodes say.

use std::collections::BTreeMap;

use covey_api::v1;
use covey_shared::ids::{NodeId, ShardId};
use covey_shared::wire::{MemoryPart, MemoryStatus, NodeStatus, ReplicaRole, ReplicaStatus, StartPhase};

use super::operations::named;
use super::{builds, disk, rebuild, scrub};
use crate::cluster::{NodeReport, WantedShard};

/// What the coordinator itself contributes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) cluster: String,
    pub(crate) map_version: u64,
    pub(crate) uptime_ms: u64,
    pub(crate) in_flight: usize,
    pub(crate) trace_id: String,
}

/// The reply to `Status`. Healthy: every node has room on its disk and no damage that nobody makes good, every shard and the metadata have one leader and all
/// their replicas.
/// A slow disk is a problem that leaves the cluster healthy: all is served, and others lead.
pub(crate) fn status(reports: &[NodeReport], wanted: &[WantedShard], facts: Facts) -> v1::StatusReply {
    let mut problems = Vec::new();
    let mut slow = Vec::new();
    let mut replicas: BTreeMap<ShardId, Vec<(u64, &ReplicaStatus)>> = BTreeMap::new();
    for report in reports {
        match &report.status {
            Ok(status) => {
                problems.extend(status.disk.and_then(|disk| disk::nearly_full(report.place.node, disk)));
                slow.extend(disk::slow(report.place.node, &status.disk_speed));
                problems.extend(
                    status
                        .rebuilds
                        .iter()
                        .map(|one| rebuild::in_words(report.place.node, one)),
                );
                problems.extend(
                    status
                        .scrubs
                        .iter()
                        .filter_map(|one| scrub::problem(report.place.node, one)),
                );
                for replica in &status.replicas {
                    replicas
                        .entry(replica.shard)
                        .or_default()
                        .push((report.place.node.0, replica));
                }
            }
            Err(error) => problems.push(format!("node {} does not answer: {error}", report.place.node)),
        }
    }
    let empty = Vec::new();
    let mut shards: Vec<v1::ShardStatus> = wanted
        .iter()
        .map(|w| shard(w, replicas.get(&w.shard).unwrap_or(&empty), &mut problems))
        .collect();
    let metadata = shards.iter().position(|one| one.shard == ShardId::METADATA.0);
    let metadata = metadata.map(|at| shards.remove(at));
    v1::StatusReply {
        healthy: problems.is_empty(),
        problems: problems.into_iter().chain(slow).collect(),
        cluster: facts.cluster,
        map_version: facts.map_version,
        release: env!("CARGO_PKG_VERSION").to_owned(),
        nodes: reports.iter().map(node).collect(),
        posts: shards.iter().map(|s| s.posts).sum(),
        shards,
        trace_id: facts.trace_id,
        uptime_ms: facts.uptime_ms,
        in_flight: facts.in_flight as u32,
        metadata,
    }
}

fn shard(wanted: &WantedShard, replicas: &[(u64, &ReplicaStatus)], problems: &mut Vec<String>) -> v1::ShardStatus {
    // Who learns, or has left and does not know it yet, does not count.
    let voters = replicas
        .iter()
        .filter(|(node, _)| wanted.voters.contains(&NodeId(*node)));
    let replicas: Vec<&(u64, &ReplicaStatus)> = voters.collect();
    // A deposed leader may not know it yet: the highest term leads.
    let leads = replicas.iter().filter(|(_, r)| r.role == ReplicaRole::Leader);
    let leader = leads.max_by_key(|(_, r)| r.term).map_or(0, |(node, _)| *node);
    let most = replicas.iter().map(|(_, r)| r.applied).max().unwrap_or_default();
    let least = replicas.iter().map(|(_, r)| r.applied).min().unwrap_or_default();
    let newest = replicas.iter().find(|(_, r)| r.applied == most);
    if leader == 0 {
        problems.push(format!("{} has no leader", named(wanted.shard)));
    }
    let (here, all) = (replicas.len(), wanted.voters.len());
    if here < all {
        problems.push(format!("{} has {here} of {all} replicas", named(wanted.shard)));
    }
    v1::ShardStatus {
        shard: wanted.shard.0,
        slot_start: wanted.slots.start.into(),
        slot_end: wanted.slots.end.into(),
        leader,
        replicas: here as u32,
        posts: newest.map_or(0, |(_, r)| r.posts),
        lag: most.0 - least.0,
        wanted: all as u32,
    }
}

fn node(report: &NodeReport) -> v1::NodeStatus {
    let base = v1::NodeStatus {
        node: report.place.node.0,
        address: report.place.listen.clone(),
        zone: report.place.zone.clone(),
        latency_ms: report.latency.as_secs_f64() * 1000.0,
        ..v1::NodeStatus::default()
    };
    match &report.status {
        Ok(status) => answered(base, status),
        Err(error) => v1::NodeStatus {
            error: error.to_string(),
            ..base
        },
    }
}

fn answered(base: v1::NodeStatus, status: &NodeStatus) -> v1::NodeStatus {
    v1::NodeStatus {
        reachable: true,
        release: status.release.clone(),
        uptime_ms: status.uptime_ms,
        resident_bytes: status.resident_bytes,
        cpu_us: status.cpu_us,
        wal_bytes: status.wal_bytes,
        kv_bytes: status.kv_bytes,
        replicas: status.replicas.iter().map(|r| replica(r, base.node)).collect(),
        disk_free_bytes: status.disk.map_or(0, |disk| disk.free_bytes),
        disk_total_bytes: status.disk.map_or(0, |disk| disk.total_bytes),
        disk_low: status.disk.is_some_and(|disk| disk.low),
        rebuilds: status.rebuilds.iter().map(rebuild::figures).collect(),
        scrubs: status.scrubs.iter().map(scrub::figures).collect(),
        memory: Some(memory(&status.memory)),
        start: status.start.iter().map(start_phase).collect(),
        builds: Some(builds::figures(&status.builds)),
        disk_speed: Some(disk::figures(&status.disk_speed)),
        ..base
    }
}

fn memory(status: &MemoryStatus) -> v1::MemoryStatus {
    let part = |part: &MemoryPart| v1::MemoryPart {
        shard: part.shard.map_or(0, |shard| shard.0),
        part: part.part.clone(),
        heap_bytes: part.heap_bytes,
        mapped_bytes: part.mapped_bytes,
    };
    v1::MemoryStatus {
        anonymous_bytes: status.anonymous_bytes,
        file_bytes: status.file_bytes,
        budget_bytes: status.budget_bytes,
        parts: status.parts.iter().map(part).collect(),
    }
}

fn start_phase(phase: &StartPhase) -> v1::StartPhase {
    v1::StartPhase {
        phase: phase.phase.clone(),
        time_ms: phase.us as f64 / 1000.0,
        items: phase.items,
    }
}

fn replica(status: &ReplicaStatus, node: u64) -> v1::ReplicaStatus {
    let role = match status.role {
        ReplicaRole::Leader => v1::ReplicaRole::Leader,
        ReplicaRole::Follower => v1::ReplicaRole::Follower,
        ReplicaRole::Candidate => v1::ReplicaRole::Candidate,
        ReplicaRole::Learner => v1::ReplicaRole::Learner,
    };
    let spaces = status.spaces.iter().map(|space| v1::SpaceStatus {
        space: space.space.clone(),
        model_epoch: space.model_epoch.0,
        rows: space.rows,
        indexed_rows: space.indexed_rows,
        segments: space.segments,
        building: space.building,
        recall: space.recall,
        seals: space.seals,
        merges: space.merges,
        damaged_rows: space.damaged_rows,
        faulted_pages: space.faulted_pages,
    });
    v1::ReplicaStatus {
        shard: status.shard.0,
        replica: status.replica.0,
        node,
        role: role as i32,
        leader: status.leader.map_or(0, |n| n.0),
        term: status.term.0,
        first_index: status.first_index.0,
        committed: status.committed.0,
        applied: status.applied.0,
        slot_start: status.descriptor.slots.start.into(),
        slot_end: status.descriptor.slots.end.into(),
        range_ver: status.descriptor.epoch.range_ver,
        conf_ver: status.descriptor.epoch.conf_ver,
        posts: status.posts,
        users: status.users,
        outbox: status.outbox,
        staleness_ms: status.staleness_ms,
        spaces: spaces.collect(),
    }
}

#[cfg(test)]
#[path = "status_test.rs"]
mod tests;
