//! Requests become operations, and what is out of bounds is refused before anybody is asked.

use super::*;

const NOW: UnixMillis = UnixMillis(1_000_000);

fn of(json: &str) -> Result<Start, RequestFault> {
    start(serde_json::from_str(json).expect("a message"), NOW)
}

#[test]
fn each_kind_has_its_message_and_its_words() {
    let (node, to) = (NodeId(3), NodeId(4));
    let cases = [
        (
            r#"{"move": {"shard": "7", "from_node": 3, "to_node": 4}}"#,
            Operation::Move {
                shard: ShardId(7),
                from: node,
                to,
            },
            "move shard 7 from node 3 to node 4",
        ),
        (
            r#"{"transfer_leader": {"to_node": 4}}"#,
            Operation::TransferLeader {
                shard: ShardId::METADATA,
                to,
            },
            "have node 4 lead the metadata",
        ),
        (r#"{"drain": {"node": 3}}"#, Operation::Drain { node }, "drain node 3"),
        (
            r#"{"repair": {"node": 3}}"#,
            Operation::Repair { node },
            "repair node 3",
        ),
        (
            r#"{"unsafe_recover": {"shard": "7", "keep_node": 3}}"#,
            Operation::UnsafeRecover {
                shard: ShardId(7),
                keep: node,
            },
            "recover shard 7 from node 3 alone",
        ),
        (
            r#"{"add": {"node": 3}}"#,
            Operation::Add { node },
            "add replicas to node 3",
        ),
        (
            r#"{"maintenance": {"node": 3, "for_ms": 500}}"#,
            Operation::Maintenance {
                node,
                until: UnixMillis(1_000_500),
            },
            "maintenance of node 3",
        ),
    ];
    for (json, what, words) in cases {
        let start = of(json).unwrap();
        assert_eq!(
            (start.what, start.by.as_str(), start.limit_ms),
            (what, "api", 3_600_000)
        );
        assert_eq!(operation(&what).title, words);
        let sent = serde_json::to_value(operation(&what)).unwrap();
        let kind = json.split('"').nth(1).unwrap();
        assert!(sent.get(kind).is_some(), "{sent}");
    }
}

#[test]
fn what_is_out_of_bounds_is_refused() {
    let long = format!(r#"{{"drain": {{"node": 3}}, "by": "{}"}}"#, "x".repeat(65));
    for (json, words) in [
        ("{}", "exactly one of move"),
        (long.as_str(), "by has 65 bytes"),
        (r#"{"drain": {"node": 3}, "by": "\u001b[2J"}"#, "cannot be printed"),
        (r#"{"drain": {"node": 3}, "limit_ms": 2592000001}"#, "limit_ms"),
        (r#"{"maintenance": {"node": 3}}"#, "for_ms is 0"),
        (r#"{"maintenance": {"node": 3, "for_ms": 604800001}}"#, "a week"),
    ] {
        let refused = of(json).unwrap_err().to_string();
        assert!(refused.contains(words), "{json}: {refused}");
    }
    let both = r#"{"drain": {"node": 3}, "repair": {"node": 3}}"#;
    assert!(serde_json::from_str::<v1::StartOperationRequest>(both).is_err());
}

#[test]
fn who_asks_is_kept() {
    let by = "ada".to_owned();
    let cancelled = cancel(v1::CancelOperationRequest {
        operation: 17,
        by: by.clone(),
        deadline_ms: 0,
    });
    let operation = OperationId(17);
    assert_eq!(cancelled, Ok(MetadataChange::Cancel { operation, by }));
    let undrained = undrain(v1::UndrainNodeRequest {
        node: 3,
        ..Default::default()
    });
    let (node, by) = (NodeId(3), "api".to_owned());
    assert_eq!(undrained, Ok(MetadataChange::Undrain { node, by }));
}
