//! Pauses between attempts to connect.

use std::time::Duration;

use covey_env::Entropy;

/// Doubles from `min` to `max` with each failure. Jitter takes up to half of it away, so that the peers of a node that
/// comes back do not all knock at the same moment.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    min: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(min: Duration, max: Duration) -> Backoff {
        Backoff { min, max, failures: 0 }
    }

    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The pause after one more failure.
    pub(crate) fn next(&mut self, entropy: &dyn Entropy) -> Duration {
        let doubled = self.min.saturating_mul(1 << self.failures.min(20));
        self.failures = self.failures.saturating_add(1);
        doubled.min(self.max).mul_f64(0.5 + 0.5 * entropy.unit())
    }
}

#[cfg(test)]
#[path = "backoff_test.rs"]
mod tests;
