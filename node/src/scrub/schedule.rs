//! When a replica is due. Pure.

use std::time::Duration;

use covey_env::Monotonic;

/// Least time between two passes, whatever searches meet.
const LEAST: Duration = Duration::from_secs(10);
/// Pauses between tries to get rows that no other replica gave, from … to.
const REST: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(600));

/// What to do for a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    /// Read all files.
    Pass,
    /// Ask again for the rows that are known to be damaged.
    Heal,
}

/// How a healing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing is known to be damaged.
    Sound,
    /// Rows are damaged that no other replica gave.
    Unhealed,
}

/// The plan for one replica.
#[derive(Debug)]
pub(super) struct Schedule {
    interval: Duration,
    /// When the last pass ended; zero before the first.
    ended: Monotonic,
    next_pass: Monotonic,
    /// How often searches and merges had met a damaged row by then.
    met: u64,
    /// When to ask again, while rows are unhealed.
    next_heal: Option<Monotonic>,
    tries: u32,
}

impl Schedule {
    /// The first pass is due at once: files are read whole at least once per start.
    pub(super) fn new(interval: Duration) -> Schedule {
        Schedule {
            interval,
            ended: Monotonic::default(),
            next_pass: Monotonic::default(),
            met: 0,
            next_heal: None,
            tries: 0,
        }
    }

    /// What is due when searches and merges have met damaged rows so often.
    pub(super) fn due(&self, now: Monotonic, met: u64) -> Due {
        if now >= self.next_pass {
            return Due::Pass;
        }
        match self.next_heal {
            Some(at) if now >= at => Due::Heal,
            // Most of what searches meet now is known already.
            Some(_) if met != self.met && now >= self.ended.plus(REST.1) => Due::Pass,
            None if met != self.met && now >= self.ended.plus(LEAST) => Due::Pass,
            _ => Due::Nothing,
        }
    }

    /// A pass with its healings has ended; damaged rows had been met so often. There may be `more` than it named.
    pub(super) fn passed(&mut self, now: Monotonic, met: u64, end: End, more: bool) {
        self.ended = now;
        self.next_pass = now.plus(if more { LEAST } else { self.interval });
        self.healed(now, met, end);
    }

    /// A healing has ended; damaged rows had been met so often. What it did not know of is met again.
    pub(super) fn healed(&mut self, now: Monotonic, met: u64, end: End) {
        self.met = met;
        if end != End::Unhealed {
            (self.next_heal, self.tries) = (None, 0);
            return;
        }
        let rest = REST.0.saturating_mul(2_u32.saturating_pow(self.tries)).min(REST.1);
        self.tries = self.tries.saturating_add(1);
        self.next_heal = Some(now.plus(rest));
    }

    /// Another replica took the place of the one that was looked at.
    pub(super) fn replaced(&mut self, now: Monotonic) {
        *self = Schedule {
            next_pass: now.plus(LEAST),
            ..Schedule::new(self.interval)
        };
    }
}

#[cfg(test)]
#[path = "schedule_test.rs"]
mod tests;
