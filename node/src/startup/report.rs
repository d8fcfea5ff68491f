//! Where the time of a start goes.

use std::time::Duration;

use covey_shard::OpenReport;
use covey_shared::wire::StartPhase;

/// The phases of a start, in their order.
#[derive(Clone, Debug, Default)]
pub struct StartReport(Vec<StartPhase>);

impl StartReport {
    /// Adds to a phase; `items` are what it went through.
    pub fn add(&mut self, phase: &str, time: Duration, items: u64) {
        let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        match self.0.iter_mut().find(|known| known.phase == phase) {
            Some(known) => {
                known.us += us;
                known.items += items;
            }
            None => self.0.push(StartPhase {
                phase: phase.to_owned(),
                us,
                items,
            }),
        }
    }

    /// The phases of one replica.
    pub(crate) fn add_replica(&mut self, report: &OpenReport) {
        self.add("records", report.records_time, report.records);
        self.add("vectors", report.vectors_time, report.durable_rows);
        self.add("unsaved vectors", report.pending_time, report.pending_rows);
    }

    /// A line of the log per phase.
    pub(crate) fn log(&self) {
        for phase in &self.0 {
            let seconds = phase.us as f64 / 1e6;
            tracing::info!(phase = phase.phase, seconds, items = phase.items, "started");
        }
    }

    pub(crate) fn phases(&self) -> Vec<StartPhase> {
        self.0.clone()
    }
}

#[cfg(test)]
#[path = "report_test.rs"]
mod tests;
