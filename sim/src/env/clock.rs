//! Simulated time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use covey_env::{Clock, Monotonic};

/// The calendar of every simulated world starts here: 2026-01-01 UTC, in milliseconds.
const EPOCH_MS: u64 = 1_767_225_600_000;
/// The real clock stands still compared with the simulated one: a call's own timer ends it.
const FAR: Duration = Duration::from_secs(3600);

/// How far a host's calendar is from the simulated one, in milliseconds, for all lives of the host. Time that is only measured
/// is not concerned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Skew(Arc<AtomicI64>);

impl Skew {
    /// Sets the calendar: ahead, or behind.
    pub(crate) fn set(&self, ms: i64) {
        self.0.store(ms, Ordering::Relaxed);
    }
}

pub(super) struct SimClock {
    pub(super) skew: Skew,
}

impl Clock for SimClock {
    fn monotonic(&self) -> Monotonic {
        // What is dropped with the whole simulation may still look at the time.
        Monotonic(turmoil::sim_elapsed().unwrap_or_default())
    }

    fn unix_ms(&self) -> u64 {
        let elapsed = turmoil::sim_elapsed().expect("the clock is read inside the simulation");
        let right = EPOCH_MS.saturating_add(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX));
        right.saturating_add_signed(self.skew.0.load(Ordering::Relaxed))
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "the call library reads the real clock; the answer is far beyond it"
    )]
    fn rpc_deadline(&self, left: Duration) -> Instant {
        Instant::now() + FAR + left
    }
}
