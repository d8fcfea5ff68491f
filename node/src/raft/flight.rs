//! When a message that arrives was sent at the earliest, by the clock of the node that got it, without comparing the clocks
//! of different machines.
//!
//! As in NTP, every message brings back the last stamp of its receiver that its sender had seen, and says how long ago that
//! was: it left no earlier than that stamp plus that time. So a message that waited, on the way or in a process that stood
//! still, is known to be old. What the bound is short of the truth is the stamp's flight to the sender.

use std::collections::BTreeMap;
use std::time::Duration;

use covey_env::Monotonic;
use covey_shared::ids::NodeId;
use covey_shared::wire::Sent;

#[derive(Debug)]
pub(crate) struct Flights {
    /// Where this process's stamps begin, at random: one that was given before a restart means nothing now.
    base: u64,
    /// The last stamp of each node, and when it came.
    seen: BTreeMap<NodeId, (u64, Monotonic)>,
}

impl Flights {
    pub(crate) fn new(random: usize) -> Flights {
        Flights {
            // A stamp is never 0, which says "none", and never overflows.
            base: (random as u64 >> 2) + 1,
            seen: BTreeMap::new(),
        }
    }

    /// What a message says that leaves for `to` at `now`.
    pub(crate) fn stamp(&self, to: NodeId, now: Monotonic) -> Sent {
        let seen = self.seen.get(&to).copied();
        Sent {
            at: self.base + micros(now.0),
            echo: seen.map_or(0, |(stamp, _)| stamp),
            held_us: seen.map_or(0, |(_, at)| micros(now.since(at))),
            confirmed_us: None,
        }
    }

    /// The moment before which a message that arrives `now` was not sent; `None` if that cannot be known.
    pub(crate) fn arrived(&mut self, from: NodeId, sent: Sent, now: Monotonic) -> Option<Monotonic> {
        if sent.at > 0 {
            self.seen.insert(from, (sent.at, now));
        }
        let own = Monotonic(Duration::from_micros(sent.echo.checked_sub(self.base)?));
        // What this process has not said yet was said by another life of it.
        (own <= now).then(|| own.plus(Duration::from_micros(sent.held_us)).min(now))
    }
}

pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "flight_test.rs"]
mod tests;
