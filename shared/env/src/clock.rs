//! Time: a monotonic clock for durations, a calendar clock for stamps.

use std::time::{Duration, Instant};

/// A point on the monotonic clock: time since the process (or the simulated host) started. Points of different
/// processes cannot be compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Monotonic(pub Duration);

impl Monotonic {
    /// How long after `earlier` this point lies; zero if it does not.
    #[must_use]
    pub fn since(self, earlier: Monotonic) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// The point `after` later; saturates at the end of time.
    #[must_use]
    pub fn plus(self, after: Duration) -> Monotonic {
        Monotonic(self.0.saturating_add(after))
    }

    /// Time left from `now` until this point; zero once it has passed.
    #[must_use]
    pub fn left(self, now: Monotonic) -> Duration {
        self.since(now)
    }
}

/// Reads time. Waiting is done with `tokio::time`.
pub trait Clock: Send + Sync {
    /// Never goes back, not even when the calendar is set.
    fn monotonic(&self) -> Monotonic;

    /// Milliseconds since 1970-01-01 UTC. May jump in both directions: never used to measure a duration.
    fn unix_ms(&self) -> u64;

    /// The instant at which a call with `left` to live expires, for tarpc, which reads the real clock. The simulated
    /// clock answers far in the future: there the caller's own timer ends the call.
    fn rpc_deadline(&self, left: Duration) -> Instant;
}
