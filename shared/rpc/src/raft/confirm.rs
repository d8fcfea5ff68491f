//! What the receiver of a Raft stream confirms, so that the sender knows a connection that carries nothing any more from a quiet one.
//!
//! The operating system takes small frames for minutes before it says that none arrives, and after a long partition it may wait as long before it
//! tries again. So the receiver writes a byte for a frame, though not for each: heartbeats come all the time.

use std::time::Duration;

use covey_env::Monotonic;

/// The receiver confirms a frame that comes so long after the last one that it confirmed.
pub(crate) const CONFIRM_EVERY: Duration = Duration::from_millis(200);
/// What confirms it.
pub(crate) const CONFIRMATION: [u8; 1] = [0];
/// A frame that is sent so long after the last confirmation came arrives later than that behind the frame that it was for, whatever the
/// clocks' rates: it has to be confirmed.
const OWED_AFTER: Duration = Duration::from_millis(400);

/// What the receiver owes to the sender.
#[derive(Debug, Default)]
pub(super) struct Owed {
    confirmed: Option<Monotonic>,
    since: Option<Monotonic>,
}

impl Owed {
    /// A frame was handed to the network.
    pub(super) fn sent(&mut self, now: Monotonic) {
        if self.confirmed.is_none_or(|at| now.since(at) >= OWED_AFTER) {
            self.since.get_or_insert(now);
        }
    }

    /// A confirmation has come.
    pub(super) fn confirmed(&mut self, now: Monotonic) {
        *self = Owed {
            confirmed: Some(now),
            since: None,
        };
    }

    /// Time left for one to come, if one is owed.
    pub(super) fn left(&self, now: Monotonic, limit: Duration) -> Option<Duration> {
        Some(limit.saturating_sub(now.since(self.since?)))
    }
}

#[cfg(test)]
#[path = "confirm_test.rs"]
mod tests;
