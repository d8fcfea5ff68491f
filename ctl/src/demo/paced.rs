//! Requests at a fixed rate, whatever the answers take: a slow cluster cannot slow down its own measurement.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;

/// Requests under way at most; more are counted as failed without being sent.
const MAX_OPEN: usize = 512;

/// How often, and for how long.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    pub(super) per_s: u32,
    pub(super) time: Duration,
    /// Once set, nothing more is asked.
    pub(super) stop: Arc<AtomicBool>,
}

/// Starts `ask(number, due)` when it is due, and hands each answer to `count`: `None` if there was none, or if it was not
/// asked because too many were open. Returns how many were due.
pub(super) async fn paced<T, Asked>(
    pace: Pace,
    ask: impl Fn(u64, Instant) -> Asked,
    mut count: impl FnMut(Option<T>),
) -> Result<u64>
where
    T: Send + 'static,
    Asked: Future<Output = Option<T>> + Send + 'static,
{
    let mut open: JoinSet<Option<T>> = JoinSet::new();
    let total = (pace.time.as_secs_f64() * f64::from(pace.per_s)).round() as u64;
    let (start, mut asked) = (Instant::now(), 0);
    for number in 0..total {
        let due = start + Duration::from_secs_f64(number as f64 / f64::from(pace.per_s));
        tokio::time::sleep_until(due.into()).await;
        if pace.stop.load(Ordering::Relaxed) {
            break;
        }
        asked += 1;
        while let Some(done) = open.try_join_next() {
            count(done?);
        }
        if open.len() < MAX_OPEN {
            open.spawn(ask(number, due));
        } else {
            count(None);
        }
    }
    while let Some(done) = open.join_next().await {
        count(done?);
    }
    Ok(asked)
}

#[cfg(test)]
#[path = "paced_test.rs"]
mod tests;
