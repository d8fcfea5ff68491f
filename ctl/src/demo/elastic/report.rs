//! What is told of a run, and what of it is as wanted.

use super::super::measure::quantile;
use super::super::rig::Shape;
use super::super::traffic::Rates;
use super::figures::{Measured, Quiet};
use crate::render::text::{Style, count, table};

/// The whole run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Report {
    pub(super) shape: Shape,
    /// Loaded.
    pub(super) posts: u64,
    pub(super) ingest_per_s: f64,
    pub(super) rates: Rates,
    pub(super) quiet: Quiet,
    /// Posts acknowledged from the first operation's warm-up to the end.
    pub(super) acknowledged: u64,
    /// Of them not there in the end.
    pub(super) lost: u64,
    pub(super) measured: Vec<Measured>,
}

/// A figure of all operations together beside what it should be.
#[derive(Clone, Debug, PartialEq)]
struct Bar {
    what: &'static str,
    wanted: &'static str,
    found: String,
    /// `None`: nothing was measured that could be judged.
    met: Option<bool>,
}

impl Report {
    /// No request failed, and nothing was lost.
    pub(super) fn is_good(&self) -> bool {
        self.lost == 0 && self.measured.iter().all(|one| one.failed == 0)
    }

    /// What went wrong, in words.
    pub(super) fn faults(&self) -> Vec<String> {
        let told =
            |one: &Measured| -> Vec<String> { one.faults.iter().map(|fault| format!("{}: {fault}", one.op)).collect() };
        let mut faults: Vec<String> = self.measured.iter().flat_map(told).collect();
        let elsewhere = self.lost
            - self
                .measured
                .iter()
                .map(|one| one.lost_acks)
                .sum::<u64>()
                .min(self.lost);
        if elsewhere > 0 {
            faults.push(format!(
                "{elsewhere} lost posts were acknowledged between the operations"
            ));
        }
        faults
    }

    pub(super) fn human(&self, style: Style) -> String {
        let Shape {
            nodes,
            shards,
            replication,
        } = self.shape;
        let mut out = format!(
            "{nodes} nodes, {shards} shards of {replication} replicas, {} posts loaded at {:.0} posts/s\n\
             {} searches/s, {} feeds/s, {} posts/s; {} of {} acknowledged posts are there in the end\n\
             without operations: p50 {:.1} ms, p99 {:.1} ms of searches; {} requests, {} failed\n\n",
            count(self.posts),
            self.ingest_per_s,
            self.rates.searches,
            self.rates.feeds,
            self.rates.posts,
            count(self.acknowledged - self.lost),
            count(self.acknowledged),
            self.quiet.p50_ms,
            self.quiet.p99_ms,
            count(self.quiet.requests),
            count(self.quiet.failed),
        );
        let header = [
            "OPERATION",
            "TOOK",
            "REQUESTS",
            "FAILED",
            "LOST",
            "COVERAGE",
            "P99 / QUIET",
            "WRITE GAP P50",
            "MAX",
            "FAIL-OVER",
            "ETA OFF BY",
        ];
        let rows: Vec<Vec<String>> = self.measured.iter().map(row).collect();
        out += &table(&header, &rows, style);
        out.push('\n');
        let rows: Vec<Vec<String>> = self.bars().iter().map(|bar| bar.row(style)).collect();
        out += &table(&["", "WANTED", "WORST", ""], &rows, style);
        out
    }

    fn bars(&self) -> Vec<Bar> {
        let all = &self.measured;
        let sum = |of: fn(&Measured) -> u64| all.iter().map(of).sum::<u64>();
        let worst = |of: &dyn Fn(&Measured) -> Option<f64>| {
            let values = all.iter().filter_map(|one| Some((of(one)?, one.op)));
            values.max_by(|a, b| a.0.total_cmp(&b.0))
        };
        let mut failovers: Vec<f64> = all.iter().flat_map(|one| one.failovers_ms.clone()).collect();
        let median = (!failovers.is_empty()).then(|| (quantile(&mut failovers, 0.5), "kill_leader"));
        let coverage = all.iter().map(|one| one.min_coverage).fold(1.0, f64::min);
        vec![
            Bar::none("failed requests", sum(|one| one.failed)),
            Bar::none("lost posts", self.lost),
            Bar {
                what: "coverage",
                wanted: "1, or named",
                found: share(coverage),
                met: Some(sum(|one| one.unnamed) == 0),
            },
            Bar::most("p99 / quiet", ("≤ 1.5", 1.5), worst(&|one| Some(one.p99_ratio)), ratio),
            // What a killed leader costs has a bar of its own.
            Bar::most("write gap, p50", ("≤ 1 s", 1_000.0), worst(&gap_without_kills), time),
            Bar::most("fail-over, p50", ("≤ 2 s", 2_000.0), median, time),
            Bar::most(
                "fail-over, worst",
                ("≤ 4 s", 4_000.0),
                worst(&|one| one.failover_ms),
                time,
            ),
            Bar::most(
                "ETA at a quarter",
                ("within 20 %", 0.2),
                worst(&|one| one.eta_error),
                percent,
            ),
        ]
    }
}

impl Bar {
    fn none(what: &'static str, found: u64) -> Bar {
        Bar {
            what,
            wanted: "0",
            found: count(found),
            met: Some(found == 0),
        }
    }

    /// At most so much, of the worst operation.
    fn most(
        what: &'static str,
        (wanted, limit): (&'static str, f64),
        worst: Option<(f64, &'static str)>,
        shown: fn(f64) -> String,
    ) -> Bar {
        Bar {
            what,
            wanted,
            found: worst.map_or("not measured".to_owned(), |(value, op)| {
                format!("{} ({op})", shown(value))
            }),
            met: worst.map(|(value, _)| value <= limit),
        }
    }

    fn row(&self, style: Style) -> Vec<String> {
        let verdict = match self.met {
            Some(true) => style.good("met"),
            Some(false) => style.bad("missed"),
            None => String::new(),
        };
        vec![
            self.what.to_owned(),
            self.wanted.to_owned(),
            self.found.clone(),
            verdict,
        ]
    }
}

fn row(one: &Measured) -> Vec<String> {
    let or_none = |value: Option<f64>, shown: fn(f64) -> String| value.map_or("-".to_owned(), shown);
    vec![
        one.op.to_owned(),
        format!("{:.1} s", one.seconds),
        count(one.requests),
        count(one.failed),
        count(one.lost_acks),
        share(one.min_coverage),
        ratio(one.p99_ratio),
        or_none(one.write_gap_ms_p50, time),
        or_none(one.write_gap_ms_max, time),
        or_none(one.failover_ms, time),
        or_none(one.eta_error, percent),
    ]
}

fn gap_without_kills(one: &Measured) -> Option<f64> {
    one.write_gap_ms_p50.filter(|_| one.failovers_ms.is_empty())
}

/// Never rounded up to 1.
fn share(value: f64) -> String {
    match value < 1.0 {
        true => format!("{:.3}", (value * 1000.0).floor() / 1000.0),
        false => "1".to_owned(),
    }
}

fn ratio(value: f64) -> String {
    format!("{value:.2}")
}

fn time(ms: f64) -> String {
    format!("{ms:.0} ms")
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

#[cfg(test)]
#[path = "report_test.rs"]
mod tests;
