//! What counts as a problem of a node.

use std::time::Duration;

use covey_config::Config;
use covey_shared::ids::{ClusterId, LogIndex, ModelEpoch, NodeId, ReplicaId, ShardEpoch, Term};
use covey_shared::slots::SlotRange;
use covey_shared::wire::SpaceStatus;

use super::*;

fn report(disk: Option<DiskStatus>) -> NodeReport {
    NodeReport {
        node: Config::default().nodes[0].clone(),
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
        }),
        latency: Duration::ZERO,
    }
}

#[test]
fn damaged_vectors_are_a_problem_of_their_replica() {
    let replica = |damaged_rows, faulted_pages| ReplicaStatus {
        shard: ShardId(4),
        replica: ReplicaId(1),
        epoch: ShardEpoch::default(),
        slots: SlotRange::ALL,
        role: ReplicaRole::Follower,
        leader: None,
        term: Term(1),
        first_index: LogIndex(1),
        committed: LogIndex(1),
        applied: LogIndex(1),
        posts: 1,
        users: 1,
        outbox: 0,
        staleness_ms: 0,
        spaces: vec![SpaceStatus {
            space: "content".into(),
            model_epoch: ModelEpoch(0),
            rows: 1,
            indexed_rows: 1,
            segments: 1,
            building: false,
            recall: 1.0,
            seals: 3,
            merges: 2,
            damaged_rows,
            faulted_pages,
        }],
    };
    let with = |replica| {
        let mut report = report(None);
        report.status.as_mut().expect("it answers").replicas.push(replica);
        status(&[report], &[], Facts::default())
    };
    assert!(with(replica(0, 0)).healthy);
    for (rows, pages) in [(1, 0), (0, 2), (5, 7)] {
        let reply = with(replica(rows, pages));
        assert!(!reply.healthy);
        let problem = &reply.problems[0];
        assert!(
            problem.starts_with(&format!("node 1 has damaged vectors in shard 4: {pages} pages")),
            "{problem}"
        );
        let space = &reply.nodes[0].replicas[0].spaces[0];
        assert_eq!((space.damaged_rows, space.faulted_pages), (rows, pages));
        assert_eq!((space.seals, space.merges), (3, 2));
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
