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

/// What searches and merges met since the replica was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Met {
    /// How often a damaged row; one that stays damaged is met again and again.
    pub(super) rows: u64,
    /// How often pages were lost to a map; each is met once.
    pub(super) losses: u64,
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
    /// Damaged rows met by the end of the last pass or healing, and pages lost by the beginning of the last pass.
    met: Met,
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
            met: Met::default(),
            next_heal: None,
            tries: 0,
        }
    }

    /// What is due when searches and merges have met so much.
    pub(super) fn due(&self, now: Monotonic, met: Met) -> Due {
        let rested = |pause| now >= self.ended.plus(pause);
        if now >= self.next_pass || (met.losses != self.met.losses && rested(LEAST)) {
            return Due::Pass;
        }
        let news = met.rows != self.met.rows;
        match self.next_heal {
            Some(at) if now >= at => Due::Heal,
            // Most of what searches meet now is known already.
            Some(_) if news && rested(REST.1) => Due::Pass,
            None if news && rested(LEAST) => Due::Pass,
            _ => Due::Nothing,
        }
    }

    /// A pass with its healings has ended; damaged rows had been met so often. Pages that were lost after its beginning may
    /// lie where it had been by then. There may be `more` damage than it named.
    pub(super) fn passed(&mut self, now: Monotonic, met: Met, end: End, more: bool) {
        self.ended = now;
        self.met.losses = met.losses;
        self.next_pass = now.plus(if more { LEAST } else { self.interval });
        self.healed(now, met.rows, end);
    }

    /// A healing has ended; damaged rows had been met so often. What it did not know of is met again.
    pub(super) fn healed(&mut self, now: Monotonic, rows: u64, end: End) {
        self.met.rows = rows;
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
