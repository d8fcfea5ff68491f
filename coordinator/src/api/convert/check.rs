//! What the replicas of shards hold, as a message.

use covey_api::v1;

use crate::cluster::{ReplicaCheck, ShardCheck, Verdict};

/// The reply to `CheckShards`.
pub(crate) fn checked(checks: &[ShardCheck], trace_id: String) -> v1::CheckShardsReply {
    v1::CheckShardsReply {
        equal: checks.iter().all(|check| check.verdict() == Verdict::Equal),
        shards: checks.iter().map(shard).collect(),
        trace_id,
    }
}

fn shard(check: &ShardCheck) -> v1::ShardCheck {
    let verdict = match check.verdict() {
        Verdict::Equal => v1::CheckVerdict::Equal,
        Verdict::Different => v1::CheckVerdict::Different,
        Verdict::Undecided => v1::CheckVerdict::Undecided,
    };
    v1::ShardCheck {
        shard: check.shard.0,
        verdict: verdict as i32,
        replicas: check.replicas.iter().map(replica).collect(),
    }
}

fn replica(check: &ReplicaCheck) -> v1::ReplicaCheck {
    let node = check.node.0;
    match &check.state {
        Ok((applied, hash)) => v1::ReplicaCheck {
            node,
            applied: applied.0,
            hash: format!("{hash:016x}"),
            error: String::new(),
        },
        Err(error) => v1::ReplicaCheck {
            node,
            error: error.to_string(),
            ..v1::ReplicaCheck::default()
        },
    }
}
