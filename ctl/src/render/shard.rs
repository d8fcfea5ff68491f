//! What the replicas of shards hold.

use std::fmt::Write as _;

use covey_api::v1::{CheckShardsReply, CheckVerdict, ReplicaCheck, ShardCheck, StatusReply};

use super::scrub;
use super::text::{Style, shard as name, table};

/// A row per replica, with the last scrub as `status` has it, and what is not as it should be in words.
pub(crate) fn checked(reply: &CheckShardsReply, status: &StatusReply, style: Style) -> String {
    let rows: Vec<Vec<String>> = reply.shards.iter().flat_map(|shard| rows(shard, status)).collect();
    let header = ["SHARD", "NODE", "APPLIED", "HASH", "VERDICT", "SCRUBBED"];
    let mut out = table(&header, &rows, style);
    let with = |verdict: CheckVerdict| -> Vec<String> {
        let shards = reply.shards.iter().filter(|shard| shard.verdict() == verdict);
        shards.map(|shard| name(shard.shard)).collect()
    };
    let (different, undecided) = (with(CheckVerdict::Different), with(CheckVerdict::Undecided));
    let mut say = |shards: &[String], what: &str| {
        if !shards.is_empty() {
            let line = format!("! shards {}: {what}", shards.join(", "));
            writeln!(out, "{}", style.bad(&line)).expect("writing to a string");
        }
    };
    say(
        &different,
        "replicas that applied the same hold different things; see docs/running.md",
    );
    say(
        &undecided,
        "no verdict; a replica did not answer, or writes went on all the time: ask again, with a longer --deadline",
    );
    if reply.equal {
        let line = format!("all replicas of {} shards are equal", reply.shards.len());
        writeln!(out, "{}", style.good(&line)).expect("writing to a string");
    }
    out
}

fn rows(shard: &ShardCheck, status: &StatusReply) -> Vec<Vec<String>> {
    let verdict = match shard.verdict() {
        CheckVerdict::Equal => "equal",
        CheckVerdict::Different => "DIFFERENT",
        CheckVerdict::Undecided | CheckVerdict::Unspecified => "undecided",
    };
    let row = |(place, replica): (usize, &ReplicaCheck)| {
        // What holds for the shard stands beside its first replica.
        let once = |text: String| if place == 0 { text } else { String::new() };
        let (applied, hash) = match replica.error.as_str() {
            "" => (replica.applied.to_string(), replica.hash.clone()),
            error => ("–".to_owned(), error.to_owned()),
        };
        vec![
            once(name(shard.shard)),
            replica.node.to_string(),
            applied,
            hash,
            once(verdict.to_owned()),
            scrub::of_replica(status, shard.shard, replica.node),
        ]
    };
    shard.replicas.iter().enumerate().map(row).collect()
}

#[cfg(test)]
#[path = "shard_test.rs"]
mod tests;
