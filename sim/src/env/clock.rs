//! Simulated time.

use std::time::{Duration, Instant};

use covey_env::{Clock, Monotonic};

/// The calendar of every simulated world starts here: 2026-01-01 UTC, in milliseconds.
const EPOCH_MS: u64 = 1_767_225_600_000;
/// The real clock stands still compared with the simulated one: a call's own timer ends it.
const FAR: Duration = Duration::from_secs(3600);

pub(super) struct SimClock;

impl Clock for SimClock {
    fn monotonic(&self) -> Monotonic {
        Monotonic(turmoil::elapsed())
    }

    fn unix_ms(&self) -> u64 {
        let elapsed = turmoil::sim_elapsed().expect("the clock is read inside the simulation");
        EPOCH_MS + u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "the call library reads the real clock; the answer is far beyond it"
    )]
    fn rpc_deadline(&self, left: Duration) -> Instant {
        Instant::now() + FAR + left
    }
}
