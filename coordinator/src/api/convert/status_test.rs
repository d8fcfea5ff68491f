//! What counts as a problem of a node.

use std::time::Duration;

use covey_config::Config;
use covey_shared::ids::{ClusterId, LogIndex, NodeId, ReplicaId, ShardId, Term};
use covey_shared::members::ShardDescriptor;
use covey_shared::wire::{DiskSpeed, DiskStatus};

use super::*;

fn report(disk: Option<DiskStatus>) -> NodeReport {
    NodeReport {
        place: Config::default().directory().nodes[0].clone(),
        status: Ok(NodeStatus {
            cluster: ClusterId::from_name("test"),
            node: NodeId(1),
            release: String::new(),
            uptime_ms: 0,
            resident_bytes: 0,
            cpu_us: 0,
            wal_bytes: 0,
            kv_bytes: 0,
            replicas: Vec::new(),
            disk,
            rebuilds: Vec::new(),
            scrubs: Vec::new(),
            memory: MemoryStatus::default(),
            start: Vec::new(),
            builds: covey_shared::wire::BuildsStatus::default(),
            disk_speed: DiskSpeed::default(),
            directory: LogIndex(0),
            settings: LogIndex(0),
        }),
        latency: Duration::ZERO,
    }
}

#[test]
fn a_disk_that_is_nearly_full_is_a_problem_of_its_node() {
    let disk = |low| DiskStatus {
        free_bytes: 30 << 20,
        total_bytes: 1000 << 20,
        low,
    };
    let reply = status(&[report(Some(disk(true)))], &[], Facts::default());
    assert!(!reply.healthy);
    let problem = &reply.problems[0];
    assert!(
        problem.starts_with("node 1 has only 3.0 % of its disk free (30 MiB)"),
        "{problem}"
    );
    assert!(reply.nodes[0].disk_low && reply.nodes[0].disk_free_bytes == 30 << 20);
    for fine in [Some(disk(false)), None] {
        assert!(status(&[report(fine)], &[], Facts::default()).healthy);
    }
}

#[test]
fn a_slow_disk_is_a_problem_that_leaves_the_cluster_healthy() {
    let mut report = report(None);
    let node = report.status.as_mut().expect("it answers");
    node.disk_speed = DiskSpeed {
        slow: true,
        recent_stalls: 3,
        ..DiskSpeed::default()
    };
    let reply = status(&[report], &[], Facts::default());
    assert!(reply.healthy);
    assert!(
        reply.problems[0].starts_with("the disk of node 1 is slow: 3 writes"),
        "{:?}",
        reply.problems
    );
    assert!(reply.nodes[0].disk_speed.as_ref().is_some_and(|speed| speed.slow));
}

/// Nodes 1 to 3, of which these have a replica of shard 1, which node 1 leads.
fn with_replicas(on: &[u64]) -> Vec<NodeReport> {
    let founding = ShardDescriptor::founding(&Config::default().layout().shards[0]);
    let replica = |node: u64| ReplicaStatus {
        shard: ShardId(1),
        replica: ReplicaId::new(0, ShardId(1), NodeId(node)),
        descriptor: founding.clone(),
        role: if node == 1 {
            ReplicaRole::Leader
        } else {
            ReplicaRole::Follower
        },
        leader: Some(NodeId(1)),
        term: Term(2),
        first_index: LogIndex(1),
        committed: LogIndex(9),
        applied: LogIndex(9),
        posts: 5,
        users: 0,
        outbox: 0,
        staleness_ms: 0,
        spaces: Vec::new(),
    };
    (1..=3)
        .map(|node| {
            let mut report = report(None);
            report.place.node = NodeId(node);
            let status = report.status.as_mut().expect("it answers");
            status.replicas.extend(on.contains(&node).then(|| replica(node)));
            report
        })
        .collect()
}

#[test]
fn who_has_no_vote_does_not_stand_in_for_a_voter_that_is_missing() {
    let wanted = [WantedShard {
        shard: ShardId(1),
        slots: covey_shared::slots::SlotRange::ALL,
        voters: vec![NodeId(1), NodeId(2)],
    }];
    let all = status(&with_replicas(&[1, 2, 3]), &wanted, Facts::default());
    assert!(all.healthy, "{:?}", all.problems);
    assert_eq!((all.shards[0].replicas, all.shards[0].wanted), (2, 2));
    let missing = status(&with_replicas(&[1, 3]), &wanted, Facts::default());
    assert_eq!(missing.problems, ["shard 1 has 1 of 2 replicas"]);
}
