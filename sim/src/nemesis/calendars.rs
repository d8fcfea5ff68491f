//! Calendars that jump, forward and back; in the end all hosts have the same one again.

use std::time::Duration;

use rand::Rng;
use rand::rngs::SmallRng;

use crate::env::HostWorld;

/// A calendar is wrong by at most this, either way.
const MOST_MS: i64 = 180_000;
/// Mostly it is wrong by at most this.
const USUAL_MS: i64 = 2_000;

#[derive(Default)]
pub(super) struct Calendars {
    next: Duration,
    /// The most advanced one that there was.
    ahead_ms: i64,
    agreed: bool,
}

impl Calendars {
    /// Sets the calendar of a host, if that is due. Whether it is wrong now.
    pub(super) fn step(&mut self, rng: &mut SmallRng, now: Duration, until: Duration, hosts: &[HostWorld]) -> bool {
        if now >= until {
            self.agree(hosts);
            return false;
        }
        if now < self.next {
            return false;
        }
        self.next = now + Duration::from_millis(rng.random_range(1_000..8_000));
        let most = if rng.random_range(0..4) == 0 { MOST_MS } else { USUAL_MS };
        let skew = rng.random_range(-most..=most);
        self.ahead_ms = self.ahead_ms.max(skew);
        hosts[rng.random_range(0..hosts.len())].skew.set(skew);
        true
    }

    /// Time in a log does not go back: were the calendars set right, it would stand still until they are as far as the worst was.
    fn agree(&mut self, hosts: &[HostWorld]) {
        if !self.agreed {
            hosts.iter().for_each(|host| host.skew.set(self.ahead_ms));
            self.agreed = true;
        }
    }
}
