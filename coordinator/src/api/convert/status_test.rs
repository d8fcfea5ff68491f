//! What counts as a problem of a node.

use std::time::Duration;

use covey_config::Config;
use covey_shared::ids::{ClusterId, NodeId};
use covey_shared::wire::{DiskSpeed, DiskStatus};

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
            builds: covey_shared::wire::BuildsStatus::default(),
            disk_speed: DiskSpeed::default(),
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
