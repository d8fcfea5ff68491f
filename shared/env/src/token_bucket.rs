//! Keeps a flow of bytes below a rate.

use std::time::Duration;

use crate::{Clock, Monotonic};

/// What has passed is paid for with time; idle time is not saved up.
#[derive(Debug)]
pub struct TokenBucket {
    bytes_per_s: u64,
    /// When what was taken so far is paid for.
    paid_at: Monotonic,
}

impl TokenBucket {
    /// At least one byte per second.
    pub fn new(bytes_per_s: u64) -> TokenBucket {
        TokenBucket {
            bytes_per_s: bytes_per_s.max(1),
            paid_at: Monotonic::default(),
        }
    }

    /// How long to wait until `bytes` may have passed.
    pub fn charge(&mut self, now: Monotonic, bytes: u64) -> Duration {
        let cost = Duration::from_secs_f64(bytes as f64 / self.bytes_per_s as f64);
        self.paid_at = self.paid_at.max(now).plus(cost);
        self.paid_at.left(now)
    }

    /// Waits until `bytes` may have passed.
    pub async fn take(&mut self, clock: &dyn Clock, bytes: u64) {
        tokio::time::sleep(self.charge(clock.monotonic(), bytes)).await;
    }
}

#[cfg(test)]
#[path = "token_bucket_test.rs"]
mod tests;
