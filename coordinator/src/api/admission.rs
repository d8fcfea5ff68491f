//! The edge: how many requests are in work, and how long each may take.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Counts requests in work; one above the limit is refused at once.
#[derive(Debug)]
pub(crate) struct Admission {
    limit: usize,
    in_flight: Arc<AtomicUsize>,
}

/// A request in work; dropping it makes room for the next.
#[derive(Debug)]
pub(crate) struct Admitted(Arc<AtomicUsize>);

impl Drop for Admitted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Admission {
    pub(crate) fn new(limit: usize) -> Admission {
        Admission {
            limit,
            in_flight: Arc::default(),
        }
    }

    pub(crate) fn enter(&self) -> Option<Admitted> {
        let admitted = Admitted(self.in_flight.clone());
        // Counted before the check, so that two that enter together cannot both take the last place; the guard uncounts.
        (self.in_flight.fetch_add(1, Ordering::Relaxed) < self.limit).then_some(admitted)
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }
}

/// Times of requests, from `[coordinator]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadlines {
    pub(crate) default: Duration,
    pub(crate) longest: Duration,
}

impl Deadlines {
    /// Time for a request that asks for `asked`.
    pub(crate) fn time(&self, asked: Option<Duration>) -> Duration {
        asked.unwrap_or(self.default).min(self.longest)
    }
}

/// Reads a `grpc-timeout` header: at most 8 digits and a unit. `None` if it is malformed.
pub(crate) fn grpc_timeout(header: &str) -> Option<Duration> {
    let unit = header.chars().next_back().filter(char::is_ascii)?;
    let digits = &header[..header.len() - 1];
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let n: u64 = digits.parse().ok()?;
    Some(match unit {
        'H' => Duration::from_secs(n * 3600),
        'M' => Duration::from_secs(n * 60),
        'S' => Duration::from_secs(n),
        'm' => Duration::from_millis(n),
        'u' => Duration::from_micros(n),
        'n' => Duration::from_nanos(n),
        _ => return None,
    })
}

#[cfg(test)]
#[path = "admission_test.rs"]
mod tests;
