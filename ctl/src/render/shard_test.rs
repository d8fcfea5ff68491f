//! The table says which replica differs.

use super::*;

fn replica(node: u64, hash: &str, error: &str) -> ReplicaCheck {
    ReplicaCheck {
        node,
        applied: 41,
        hash: hash.into(),
        error: error.into(),
    }
}

fn shard(shard: u64, verdict: CheckVerdict, replicas: Vec<ReplicaCheck>) -> ShardCheck {
    ShardCheck {
        shard,
        verdict: verdict.into(),
        replicas,
    }
}

#[test]
fn equal_replicas_end_in_one_good_line() {
    let reply = CheckShardsReply {
        equal: true,
        shards: vec![shard(
            1,
            CheckVerdict::Equal,
            vec![replica(1, "ab", ""), replica(2, "ab", "")],
        )],
        ..CheckShardsReply::default()
    };
    assert_eq!(
        checked(&reply, &StatusReply::default(), Style::plain()),
        "SHARD  NODE  APPLIED  HASH  VERDICT  SCRUBBED\n\
         1      1     41       ab    equal\n       2     41       ab\n\
         all replicas of 1 shards are equal\n"
    );
}

#[test]
fn shards_that_differ_or_have_no_verdict_are_named() {
    let reply = CheckShardsReply {
        shards: vec![
            shard(
                1,
                CheckVerdict::Different,
                vec![replica(1, "ab", ""), replica(2, "cd", "")],
            ),
            shard(2, CheckVerdict::Undecided, vec![replica(1, "", "connection refused")]),
        ],
        ..CheckShardsReply::default()
    };
    let text = checked(&reply, &StatusReply::default(), Style::plain());
    for part in [
        "DIFFERENT",
        "cd",
        "connection refused",
        "! shards 1: replicas",
        "! shards 2: no verdict",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert!(!text.contains("are equal"));
}
