//! The honest answer, and the results of writes.

use std::collections::BTreeMap;
use std::time::Duration;

use covey_api::v1;

use crate::api::convert::ItemFault;
use crate::cluster::ReadReport;
use crate::ingest::{Outcome, WriteFailure, Written};

/// The answer block of a read that is not a feed.
pub(crate) fn answer(report: &ReadReport, map_version: u64, trace_id: &str) -> v1::Answer {
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let timings = [
        ("shards", report.took),
        ("shard_queue", report.queue),
        ("shard_work", report.work),
    ];
    let degraded = report.partial.then(|| v1::Degraded {
        component: "shards".into(),
        reason: "a shard ran out of time and returned what it had".into(),
    });
    let flaws = report.flaws().map(|(component, reason)| v1::Degraded {
        component,
        reason: reason.into(),
    });
    v1::Answer {
        coverage: report.coverage(),
        missing_shards: report.missing_shards.iter().map(|s| s.0).collect(),
        degraded: degraded.into_iter().chain(flaws).collect(),
        staleness_ms: report.staleness_ms,
        map_version,
        model_version: 0,
        experiment_arms: BTreeMap::new(),
        timings_ms: timings
            .into_iter()
            .map(|(stage, t)| (stage.to_owned(), ms(t)))
            .collect(),
        trace_id: trace_id.to_owned(),
        config_version: 0,
    }
}

/// One result per item: refused ones keep their fault, the others take the outcomes in order.
pub(crate) fn item_results(refused: &[Option<ItemFault>], outcomes: Vec<Outcome>) -> v1::WriteReply {
    let mut reply = v1::WriteReply::default();
    let mut outcomes = outcomes.into_iter();
    for (index, fault) in refused.iter().enumerate() {
        let (status, message) = match fault {
            Some(fault) => (v1::ItemStatus::Invalid, fault.to_string()),
            None => result(
                outcomes.next().unwrap_or(Err(WriteFailure::Uncertain)),
                &mut reply.retry_after_ms,
            ),
        };
        match status {
            v1::ItemStatus::Ok | v1::ItemStatus::Superseded => reply.succeeded += 1,
            _ => reply.failed += 1,
        }
        reply.results.push(v1::ItemResult {
            index: index as u32,
            status: status as i32,
            message,
        });
    }
    reply
}

fn result(outcome: Outcome, retry: &mut u32) -> (v1::ItemStatus, String) {
    let failure = match outcome {
        Ok(Written::Ok) => return (v1::ItemStatus::Ok, String::new()),
        Ok(Written::Superseded) => return (v1::ItemStatus::Superseded, String::new()),
        Err(failure) => failure,
    };
    let status = match &failure {
        WriteFailure::Rejected(_) | WriteFailure::Invalid(_) => v1::ItemStatus::Invalid,
        WriteFailure::Unavailable { retry_after_ms } => {
            *retry = (*retry).max(*retry_after_ms).max(1);
            v1::ItemStatus::Unavailable
        }
        WriteFailure::Uncertain => v1::ItemStatus::Uncertain,
    };
    (status, failure.to_string())
}
