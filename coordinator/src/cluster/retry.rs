//! When to try again: a budget, so that retries never multiply an overload, and a pause with jitter.

use std::time::Duration;

use parking_lot::Mutex;

/// Retries that may happen at once after a quiet time: enough for the requests in work when a node dies.
const BURST: f64 = 200.0;

/// Allows retries and hedges up to a share of first tries.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    ratio: f64,
    tokens: Mutex<f64>,
}

impl RetryBudget {
    pub(crate) fn new(ratio: f64) -> RetryBudget {
        RetryBudget {
            ratio,
            tokens: Mutex::new(BURST),
        }
    }

    /// Counts `calls` first tries.
    pub(crate) fn first_tries(&self, calls: usize) {
        let mut tokens = self.tokens.lock();
        *tokens = (*tokens + self.ratio * calls as f64).min(BURST);
    }

    /// Takes one retry out of the budget, if there is one.
    pub(crate) fn spend(&self) -> bool {
        let mut tokens = self.tokens.lock();
        let allowed = *tokens >= 1.0;
        if allowed {
            *tokens -= 1.0;
        }
        allowed
    }
}

/// Pauses between tries of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    pub(crate) min: Duration,
    pub(crate) max: Duration,
}

impl Backoff {
    /// Pause before retry number `retry` (from 0): doubles from `min` to `max`, of which `unit` in [0, 1) takes away up
    /// to half, so that callers who failed together do not come back together.
    pub(crate) fn pause(&self, retry: u32, unit: f64) -> Duration {
        let doubled = self.min.saturating_mul(1 << retry.min(16)).min(self.max);
        doubled.mul_f64(1.0 - unit / 2.0)
    }
}

#[cfg(test)]
#[path = "retry_test.rs"]
mod tests;
