//! At most one log line per second for what a stranger can cause as often as it likes.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use covey_env::Monotonic;

const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(crate) struct LogLimit(Mutex<Window>);

#[derive(Debug, Default)]
struct Window {
    last: Option<Monotonic>,
    suppressed: u64,
}

impl LogLimit {
    /// Whether to log at `now`; if so, how many lines were left out before.
    pub(crate) fn allow(&self, now: Monotonic) -> Option<u64> {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if window.last.is_some_and(|last| now.since(last) < PAUSE) {
            window.suppressed += 1;
            return None;
        }
        window.last = Some(now);
        Some(std::mem::take(&mut window.suppressed))
    }
}

#[cfg(test)]
#[path = "log_limit_test.rs"]
mod tests;
