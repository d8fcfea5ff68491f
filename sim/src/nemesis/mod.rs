//! Faults at random moments; everything is healed when its time is over.

mod calendars;
mod fault;

use std::collections::BTreeMap;
use std::time::Duration;

use rand::Rng;
use rand::rngs::SmallRng;
use turmoil::Sim;

use crate::cluster::{HOSTS, address};
use crate::env::HostWorld;
use calendars::Calendars;
use fault::Fault;

/// What went wrong in a run, by kind.
pub type Faults = BTreeMap<&'static str, u64>;

/// Breaks one thing at a time, so that a majority lives; the next one may come before the cluster has recovered. Calendars are
/// wrong beside that: no replica may depend on them.
pub(crate) struct Nemesis {
    rng: SmallRng,
    until: Duration,
    next: Duration,
    active: Option<(Fault, Duration)>,
    /// What can be done to each host.
    hosts: Vec<HostWorld>,
    calendars: Calendars,
    /// A second loss might come before the first replica is rebuilt, and then a majority is gone.
    lost: bool,
    faults: Faults,
}

impl Nemesis {
    pub(crate) fn new(mut rng: SmallRng, until: Duration, hosts: Vec<HostWorld>) -> Self {
        let next = Duration::from_millis(rng.random_range(2_000..5_000));
        Nemesis {
            rng,
            until,
            next,
            active: None,
            hosts,
            calendars: Calendars::default(),
            lost: false,
            faults: Faults::new(),
        }
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.faults
    }

    /// What is due now.
    pub(crate) fn step(&mut self, sim: &mut Sim<'_>) {
        let now = sim.elapsed();
        if self.calendars.step(&mut self.rng, now, self.until, &self.hosts) {
            self.count("clock jump");
        }
        if let Some((fault, ends)) = self.active
            && (now >= ends || now >= self.until)
        {
            fault.heal(sim, &self.hosts);
            self.active = None;
            self.next = now + Duration::from_millis(self.rng.random_range(200..4_000));
        }
        if self.active.is_none() && now >= self.next && now < self.until {
            let fault = Fault::choose(&mut self.rng, HOSTS, !self.lost);
            self.lost |= matches!(fault, Fault::Lost(..));
            fault.inflict(sim, &self.hosts);
            self.count(fault.name());
            let lasts = self.rng.random_range(fault.lasts_ms());
            self.active = Some((fault, now + Duration::from_millis(lasts)));
        }
        self.start_again(sim);
    }

    /// Whoever looks after the processes starts those again that have ended: who once found no room may end long after.
    fn start_again(&self, sim: &mut Sim<'_>) {
        let down = self.active.and_then(|(fault, _)| fault.keeps_down());
        let ended = self.hosts.iter().filter(|world| world.process.has_ended());
        for world in ended.filter(|world| Some(world.host) != down) {
            sim.bounce(address(world.host).as_str());
        }
    }

    fn count(&mut self, kind: &'static str) {
        *self.faults.entry(kind).or_default() += 1;
    }
}
