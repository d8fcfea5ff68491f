//! What clients noticed of one operation: pure figures of what became of their requests.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use covey_api::v1::PostKey;
use serde::Serialize;

use super::super::measure::{quantile, rounded};
use super::super::traffic::{Event, Kind};

/// An operation shorter than this tells no time left that could be judged, in milliseconds.
const SHORT_MS: u64 = 4_000;
/// Faults that are told of one operation.
const TOLD: usize = 8;

/// What is measured of one operation. Times count from the start of the traffic.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Window {
    pub(super) op: &'static str,
    pub(super) from: Duration,
    pub(super) to: Duration,
    /// How long the operation took.
    pub(super) seconds: f64,
    pub(super) eta_error: Option<f64>,
    /// Shards whose leader was killed meanwhile.
    pub(super) silences: Vec<Silence>,
}

/// The time in which a shard has to find a new leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Silence {
    pub(super) shard: u64,
    pub(super) from: Duration,
    pub(super) to: Duration,
}

/// A look at a running operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// Since the operation began.
    pub(super) after_ms: u64,
    /// Time left, as it was told.
    pub(super) eta_ms: Option<u64>,
}

/// An operation that ended as wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    /// From its begin to its end, as its record says.
    pub(super) after_ms: u64,
    pub(super) looks: Vec<Look>,
}

impl Ended {
    pub(super) fn seconds(&self) -> f64 {
        self.after_ms as f64 / 1000.0
    }

    /// By how much of the whole time the end was foretold wrongly when a quarter of it had passed. `None` if no time left was told
    /// then, or if the operation was short.
    pub(super) fn eta_error(&self) -> Option<f64> {
        let quarter = self.looks.iter().find(|look| look.after_ms * 4 >= self.after_ms)?;
        let foretold = quarter.after_ms + quarter.eta_ms?;
        let real = Some(self.after_ms).filter(|real| *real >= SHORT_MS)?;
        Some(rounded(foretold.abs_diff(real) as f64 / real as f64, 3))
    }
}

/// Searches of the phase that the others are compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Quiet {
    pub(super) requests: u64,
    pub(super) failed: u64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

impl Quiet {
    pub(super) fn of(events: &[Event], (from, to): (Duration, Duration)) -> Quiet {
        let due = due_in(events, from, to);
        let mut times = search_times(&due);
        Quiet {
            requests: due.len() as u64,
            failed: due.iter().filter(|event| event.failure.is_some()).count() as u64,
            p50_ms: quantile(&mut times, 0.5),
            p99_ms: quantile(&mut times, 0.99),
        }
    }
}

/// The figures of one operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Measured {
    pub(super) op: &'static str,
    /// Searches, feeds and writes that were due.
    pub(super) requests: u64,
    pub(super) failed: u64,
    /// Posts acknowledged meanwhile that are not there in the end.
    pub(super) lost_acks: u64,
    /// Of any search or feed.
    pub(super) min_coverage: f64,
    /// The p99 of searches by the quiet one.
    pub(super) p99_ratio: f64,
    /// Longest time between two acknowledged writes, over the shards.
    pub(super) write_gap_ms_p50: Option<f64>,
    pub(super) write_gap_ms_max: Option<f64>,
    /// The longest of `failovers_ms`.
    pub(super) failover_ms: Option<f64>,
    pub(super) seconds: f64,
    pub(super) eta_error: Option<f64>,
    /// Longest time without an acknowledged write, of each shard whose leader was killed.
    #[serde(skip)]
    pub(super) failovers_ms: Vec<f64>,
    /// Answers that lacked something and did not say what.
    #[serde(skip)]
    pub(super) unnamed: u64,
    /// Some of the failures, and of what answers lacked.
    #[serde(skip)]
    pub(super) faults: Vec<String>,
}

impl Measured {
    pub(super) fn of(window: &Window, events: &[Event], quiet: &Quiet, lost: &BTreeSet<u64>) -> Measured {
        let due = due_in(events, window.from, window.to);
        let acks = acks(events);
        let mut gaps: Vec<f64> = acks
            .values()
            .filter_map(|acks| gap(acks, window.from, window.to))
            .collect();
        let waits = window.silences.iter().map(|silence| {
            let acks = acks.get(&silence.shard).map_or(&[][..], Vec::as_slice);
            ms(longest(acks, silence.from, silence.to))
        });
        let failovers_ms: Vec<f64> = waits.collect();
        let faults = due.iter().filter_map(|event| fault(event));
        let coverages = due.iter().filter_map(|event| event.coverage);
        Measured {
            op: window.op,
            requests: due.len() as u64,
            failed: due.iter().filter(|event| event.failure.is_some()).count() as u64,
            lost_acks: lost_in(events, window, lost),
            min_coverage: coverages.fold(1.0, f64::min),
            p99_ratio: rounded(quantile(&mut search_times(&due), 0.99) / quiet.p99_ms.max(0.001), 3),
            write_gap_ms_p50: (!gaps.is_empty()).then(|| quantile(&mut gaps, 0.5)),
            write_gap_ms_max: gaps.iter().copied().reduce(f64::max),
            failover_ms: failovers_ms.iter().copied().reduce(f64::max),
            seconds: rounded(window.seconds, 1),
            eta_error: window.eta_error,
            unnamed: due.iter().filter(|event| event.unnamed).count() as u64,
            faults: faults.take(TOLD).collect(),
            failovers_ms,
        }
    }
}

/// Why a request failed, or what its answer lacks.
fn fault(event: &Event) -> Option<String> {
    let what = match (&event.failure, &event.lacks) {
        (Some(failure), _) => failure.clone(),
        (None, Some(lacks)) => format!("without {lacks}"),
        (None, None) => return None,
    };
    let took = ms(event.done.saturating_sub(event.due));
    Some(format!("{:?} after {took:.0} ms: {what}", event.kind))
}

/// Every post whose write was acknowledged.
pub(super) fn acknowledged(events: &[Event]) -> Vec<PostKey> {
    let writes = events.iter().filter_map(|event| event.write.as_ref());
    writes.flat_map(|write| write.posts.iter().copied()).collect()
}

fn due_in(events: &[Event], from: Duration, to: Duration) -> Vec<&Event> {
    events
        .iter()
        .filter(|event| from <= event.due && event.due < to)
        .collect()
}

/// In milliseconds, from the moment they were due.
fn search_times(events: &[&Event]) -> Vec<f64> {
    let searches = events.iter().filter(|event| event.kind == Kind::Search);
    searches.map(|event| ms(event.done.saturating_sub(event.due))).collect()
}

fn lost_in(events: &[Event], window: &Window, lost: &BTreeSet<u64>) -> u64 {
    let meanwhile = |event: &&Event| window.from <= event.done && event.done < window.to;
    let writes = events.iter().filter(meanwhile).filter_map(|event| event.write.as_ref());
    let posts = writes.flat_map(|write| &write.posts);
    posts.filter(|key| lost.contains(&key.post_id)).count() as u64
}

/// When writes to each shard were acknowledged, ascending.
fn acks(events: &[Event]) -> BTreeMap<u64, Vec<Duration>> {
    let mut acks: BTreeMap<u64, Vec<Duration>> = BTreeMap::new();
    for event in events {
        if let Some(write) = event.write.as_ref().filter(|write| !write.posts.is_empty()) {
            acks.entry(write.shard).or_default().push(event.done);
        }
    }
    acks.values_mut().for_each(|times| times.sort_unstable());
    acks
}

/// The longest time without an acknowledgement, in milliseconds; `None` if there was none at all.
fn gap(acks: &[Duration], from: Duration, to: Duration) -> Option<f64> {
    acks.iter()
        .any(|ack| (from..to).contains(ack))
        .then(|| ms(longest(acks, from, to)))
}

/// The longest time without an acknowledgement between two moments.
fn longest(acks: &[Duration], from: Duration, to: Duration) -> Duration {
    let meanwhile = acks.iter().copied().filter(|ack| from < *ack && *ack < to);
    let times: Vec<Duration> = std::iter::once(from).chain(meanwhile).chain([to]).collect();
    times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
}

/// Milliseconds, to a tenth.
fn ms(time: Duration) -> f64 {
    rounded(time.as_secs_f64() * 1000.0, 1)
}

#[cfg(test)]
#[path = "figures_test.rs"]
mod tests;
