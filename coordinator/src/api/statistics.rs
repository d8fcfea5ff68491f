//! What the process has done lately, as a line in its log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::api::service::Api;

/// Requests by how they ended, since the start.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) answered: AtomicU64,
    /// Refused for what the client sent.
    pub(crate) faulty: AtomicU64,
    /// Refused because too many were in work.
    pub(crate) shed: AtomicU64,
    /// Not answered for a reason of ours.
    pub(crate) failed: AtomicU64,
}

#[derive(Clone, Copy, Default)]
struct Snapshot {
    answered: u64,
    faulty: u64,
    shed: u64,
    failed: u64,
    /// Rows of the event log that are written, and those that are lost.
    logged_rows: u64,
    lost_rows: u64,
    cpu_us: u64,
}

/// Logs the statistics of each interval, for ever.
pub(crate) async fn log_statistics(api: Arc<Api>, interval: Duration) {
    let mut before = snapshot(&api).0;
    loop {
        tokio::time::sleep(interval).await;
        let (now, resident_bytes) = snapshot(&api);
        let seconds = interval.as_secs_f64();
        let answered = now.answered - before.answered;
        tracing::info!(
            answered,
            per_second = answered as f64 / seconds,
            faulty = now.faulty - before.faulty,
            shed = now.shed - before.shed,
            failed = now.failed - before.failed,
            in_flight = api.in_flight(),
            event_log_rows = now.logged_rows - before.logged_rows,
            event_log_lost_rows = now.lost_rows - before.lost_rows,
            cpu_share = (now.cpu_us - before.cpu_us) as f64 / 1e6 / seconds,
            resident_mib = resident_bytes >> 20,
            "statistics"
        );
        before = now;
    }
}

fn snapshot(api: &Api) -> (Snapshot, u64) {
    let (tally, log) = (api.tally(), api.logged());
    // Without /proc the log goes on without these two.
    let process = covey_telemetry::process_stats().unwrap_or_default();
    let snapshot = Snapshot {
        answered: tally.answered.load(Ordering::Relaxed),
        faulty: tally.faulty.load(Ordering::Relaxed),
        shed: tally.shed.load(Ordering::Relaxed),
        failed: tally.failed.load(Ordering::Relaxed),
        logged_rows: log.written_rows,
        lost_rows: log.lost_rows(),
        cpu_us: process.cpu_us,
    };
    (snapshot, process.resident_bytes)
}
