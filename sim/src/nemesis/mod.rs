//! Crashes, restarts, losses and partitions at random moments; everything is healed when its time is over.

use std::time::Duration;

use rand::Rng;
use rand::rngs::SmallRng;
use turmoil::Sim;

use crate::cluster::{HOSTS, address};
use crate::loss::{Loss, NextLoss};

/// What is broken at the moment.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Crashed(u64),
    /// For so long that it is given up.
    Away(u64),
    /// It comes back without something.
    Lost(u64, Loss),
    Cut(u64, u64),
    CutOneWay(u64, u64),
    /// From all other hosts; writers and operators still reach it.
    Isolated(u64),
}

pub(crate) struct Nemesis {
    rng: SmallRng,
    until: Duration,
    next: Duration,
    active: Option<(Fault, Duration)>,
    faults: u64,
    /// What takes something from each host.
    losses: Vec<NextLoss>,
    /// A second loss might come before the first replica is rebuilt, and then a majority is gone.
    lost: bool,
}

impl Nemesis {
    pub(crate) fn new(mut rng: SmallRng, until: Duration, losses: Vec<NextLoss>) -> Self {
        let next = Duration::from_millis(rng.random_range(2_000..5_000));
        Nemesis {
            rng,
            until,
            next,
            active: None,
            faults: 0,
            losses,
            lost: false,
        }
    }

    pub(crate) fn faults(&self) -> u64 {
        self.faults
    }

    /// One fault at a time, so that a majority lives; the next one may come before the cluster has recovered.
    pub(crate) fn step(&mut self, sim: &mut Sim<'_>) {
        let now = sim.elapsed();
        if let Some((fault, ends)) = self.active
            && (now >= ends || now >= self.until)
        {
            heal(sim, fault);
            self.active = None;
            self.next = now + Duration::from_millis(self.rng.random_range(200..4_000));
        }
        if self.active.is_none() && now >= self.next && now < self.until {
            let fault = self.choose();
            if let Fault::Lost(host, loss) = fault {
                self.lost = true;
                self.losses[host as usize - 1].set(loss);
            }
            inflict(sim, fault);
            self.faults += 1;
            let lasts = match fault {
                Fault::Away(_) => 9_000..16_000,
                _ => 100..5_000,
            };
            self.active = Some((fault, now + Duration::from_millis(self.rng.random_range(lasts))));
        }
    }

    fn choose(&mut self) -> Fault {
        let a = self.rng.random_range(1..=HOSTS);
        let b = (a + self.rng.random_range(0..HOSTS - 1)) % HOSTS + 1;
        match self.rng.random_range(0..13) {
            0..=1 if !self.lost => {
                let losses = [Loss::Disk, Loss::Stores, Loss::File];
                Fault::Lost(a, losses[self.rng.random_range(0..losses.len())])
            }
            0..=5 => Fault::Crashed(a),
            6..=7 => Fault::Cut(a, b),
            8..=9 => Fault::CutOneWay(a, b),
            10..=11 => Fault::Isolated(a),
            _ => Fault::Away(a),
        }
    }
}

fn inflict(sim: &mut Sim<'_>, fault: Fault) {
    match fault {
        Fault::Crashed(host) | Fault::Away(host) | Fault::Lost(host, _) => sim.crash(address(host).as_str()),
        Fault::Cut(a, b) => sim.partition(address(a).as_str(), address(b).as_str()),
        Fault::CutOneWay(a, b) => sim.partition_oneway(address(a).as_str(), address(b).as_str()),
        Fault::Isolated(host) => others(host).for_each(|other| sim.partition(address(host).as_str(), other.as_str())),
    }
}

fn heal(sim: &mut Sim<'_>, fault: Fault) {
    match fault {
        Fault::Crashed(host) | Fault::Away(host) | Fault::Lost(host, _) => sim.bounce(address(host).as_str()),
        Fault::Cut(a, b) => sim.repair(address(a).as_str(), address(b).as_str()),
        Fault::CutOneWay(a, b) => sim.repair_oneway(address(a).as_str(), address(b).as_str()),
        Fault::Isolated(host) => others(host).for_each(|other| sim.repair(address(host).as_str(), other.as_str())),
    }
}

fn others(host: u64) -> impl Iterator<Item = String> {
    (1..=HOSTS).filter(move |other| *other != host).map(address)
}
