//! Memory and start of nodes in tables.

use covey_api::v1::{MemoryStatus, ReplicaStatus};

use super::*;

fn part(shard: u64, part: &str, heap_bytes: u64, mapped_bytes: u64) -> MemoryPart {
    MemoryPart {
        shard,
        part: part.to_owned(),
        heap_bytes,
        mapped_bytes,
    }
}

fn node() -> NodeStatus {
    let replica = |shard| ReplicaStatus {
        shard,
        posts: 500,
        ..ReplicaStatus::default()
    };
    NodeStatus {
        node: 1,
        reachable: true,
        resident_bytes: 5 << 20,
        replicas: vec![replica(1), replica(2)],
        memory: Some(MemoryStatus {
            anonymous_bytes: 4 << 20,
            file_bytes: 1 << 20,
            budget_bytes: 1 << 30,
            parts: vec![
                part(1, "columns", 100_000, 0),
                part(1, "vectors, sealed", 0, 3 << 20),
                part(2, "columns", 150_000, 0),
                part(0, "store cache", 1 << 20, 0),
            ],
        }),
        start: vec![
            StartPhase {
                phase: "log".into(),
                time_ms: 250.0,
                items: 1000,
            },
            StartPhase {
                phase: "threads".into(),
                time_ms: 1.0,
                items: 0,
            },
        ],
        ..NodeStatus::default()
    }
}

#[test]
fn replicas_are_added_up_and_the_rest_of_the_process_is_named() {
    let node = node();
    let found = lines(&node);
    assert_eq!((found[0].part.as_str(), found[0].heap_bytes), ("columns", 250_000));
    assert!((found[0].heap_bytes_per_post - 250.0).abs() < 1e-9);
    let text = of_node(&node, Style::plain());
    for part in [
        "node 1 · 1 000 posts of 2 shards",
        "columns                      244 KiB  –        250.0 B",
        "vectors, sealed              –        3.0 MiB",
        "allocator, threads, buffers  2.8 MiB",
        "of storage.columns = 1.0 GiB used: 244 KiB",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn a_node_that_is_down_says_why() {
    let reply = StatusReply {
        nodes: vec![
            node(),
            NodeStatus {
                node: 2,
                error: "connection refused".into(),
                ..NodeStatus::default()
            },
        ],
        ..StatusReply::default()
    };
    assert!(memory(&reply, Style::plain()).ends_with("node 2 does not answer: connection refused\n"));
}

#[test]
fn phases_add_up() {
    let text = phases(&node().start, Style::plain());
    assert!(text.contains("log      0.25 s  1 000  4 000"), "{text}");
    assert!(text.contains("all      0.25 s"), "{text}");
}
