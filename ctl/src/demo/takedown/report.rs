//! What is told of a run.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use super::super::measure::{quantile, rounded};
use super::super::traffic::Event;
use super::ledger::{Ledger, PROMISE, Try};
use super::tries::Kind;
use crate::render::text::{Style, count, table};

/// The figures of one kind of tries, or of all.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Figures {
    pub(super) kind: &'static str,
    /// Acknowledged, and shown before to every watcher.
    pub(super) tries: u64,
    /// Not shown to every watcher before, or not acknowledged: not counted.
    pub(super) unseen: u64,
    /// From the acknowledgement to the end of the last request whose reply showed it.
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) worst_ms: f64,
    /// Replies that showed it though their request began a second after the acknowledgement, or later.
    pub(super) violations: u64,
    /// Of the whole run: time, replies that were looked through, those of them that lack a shard, pages of sessions that were ranked before
    /// an acknowledgement a second ago, requests without a reply, leaders killed or stopped.
    pub(super) seconds: f64,
    pub(super) replies: u64,
    pub(super) partial: u64,
    pub(super) late_pages: u64,
    pub(super) failed: u64,
    pub(super) faults: u64,
}

/// The whole run.
#[derive(Clone, Debug)]
pub(super) struct Report {
    /// All kinds together first.
    pub(super) figures: Vec<Figures>,
    /// Of all tries, as it is: what is compared is not rounded.
    worst: Duration,
    /// Requests of the traffic beside, and those that failed.
    traffic: (u64, u64),
    /// Violations, and tries that were not seen, in words.
    pub(super) told: Vec<String>,
}

impl Report {
    pub(super) fn of(ledger: &Ledger, traffic: &[Event], faults: u64, seconds: f64) -> Report {
        let run = Figures {
            kind: "all",
            tries: 0,
            unseen: 0,
            p50_ms: 0.0,
            p99_ms: 0.0,
            worst_ms: 0.0,
            violations: 0,
            seconds: rounded(seconds, 1),
            replies: ledger.replies,
            partial: ledger.partial,
            late_pages: ledger.late_pages,
            failed: ledger.failed,
            faults,
        };
        let all = figures(&run, ledger.tries.iter().collect(), ledger.watchers);
        let of_kind = |kind: Kind| {
            let tries: Vec<&Try> = ledger.tries.iter().filter(|one| one.kind == kind).collect();
            let kind = kind.name();
            (!tries.is_empty()).then(|| figures(&Figures { kind, ..run.clone() }, tries, ledger.watchers))
        };
        let kinds = Kind::ALL.into_iter().filter_map(of_kind);
        let failed = traffic.iter().filter(|event| event.failure.is_some()).count();
        let latencies = ledger.tries.iter().filter_map(|one| one.latency(ledger.watchers));
        Report {
            figures: std::iter::once(all).chain(kinds).collect(),
            worst: latencies.max().unwrap_or_default(),
            traffic: (traffic.len() as u64, failed as u64),
            told: ledger.told.clone(),
        }
    }

    /// There were tries, all of them were seen and acknowledged, none was shown for too long, and no reply broke the promise; of a run with
    /// `kill` also that leaders were killed or stopped.
    pub(super) fn is_good(&self, kill: bool) -> bool {
        let all = &self.figures[0];
        self.is_in_time() && all.unseen == 0 && all.violations == 0 && (all.faults > 0 || !kill)
    }

    fn is_in_time(&self) -> bool {
        self.figures[0].tries > 0 && self.worst <= PROMISE
    }

    /// One line for each kind.
    pub(super) fn json(&self) -> Result<String> {
        let lines = self
            .figures
            .iter()
            .map(|figures| Ok(serde_json::to_string(figures)? + "\n"));
        lines.collect()
    }

    pub(super) fn human(&self, style: Style) -> String {
        let all = &self.figures[0];
        let rows: Vec<Vec<String>> = self.figures.iter().map(row).collect();
        let header = ["KIND", "TRIES", "NOT SEEN", "P50", "P99", "WORST", "VIOLATIONS"];
        let verdict = |met: bool| if met { style.good("met") } else { style.bad("missed") };
        format!(
            "{} replies looked through in {:.0} s, {} of them without all shards, {} requests without one; {} leaders killed or stopped\n\
             {} pages of sessions that were ranked before an acknowledgement more than {} s ago\n\
             beside them {} searches, feeds and writes, {} of them failed\n\n{}\n\
             worst of {} tries: {:.0} ms (wanted: at most {} ms): {}\n\
             replies to requests begun 1 s after the acknowledgement or later that show it: {} (wanted: 0): {}\n",
            count(all.replies),
            all.seconds,
            count(all.partial),
            count(all.failed),
            count(all.faults),
            count(all.late_pages),
            PROMISE.as_secs(),
            count(self.traffic.0),
            count(self.traffic.1),
            table(&header, &rows, style),
            count(all.tries),
            all.worst_ms,
            PROMISE.as_millis(),
            verdict(self.is_in_time()),
            count(all.violations),
            verdict(all.violations == 0),
        )
    }
}

fn figures(run: &Figures, tries: Vec<&Try>, watchers: usize) -> Figures {
    let latencies = tries.iter().filter_map(|one| one.latency(watchers));
    let mut ms: Vec<f64> = latencies.map(|time| time.as_secs_f64() * 1000.0).collect();
    Figures {
        tries: ms.len() as u64,
        unseen: (tries.len() - ms.len()) as u64,
        p50_ms: rounded(quantile(&mut ms, 0.5), 1),
        p99_ms: rounded(quantile(&mut ms, 0.99), 1),
        worst_ms: rounded(quantile(&mut ms, 1.0), 1),
        violations: tries.iter().map(|one| one.violations).sum(),
        ..run.clone()
    }
}

fn row(one: &Figures) -> Vec<String> {
    let time = |ms: f64| format!("{ms:.0} ms");
    vec![
        one.kind.to_owned(),
        count(one.tries),
        count(one.unseen),
        time(one.p50_ms),
        time(one.p99_ms),
        time(one.worst_ms),
        count(one.violations),
    ]
}

#[cfg(test)]
#[path = "report_test.rs"]
mod tests;
