//! One fault: how it begins and how it is healed.

use std::ops::Range;

use rand::Rng;
use rand::rngs::SmallRng;
use turmoil::Sim;

use crate::cluster::{ROOMY, address};
use crate::env::HostWorld;
use crate::loss::Loss;

/// Free thousandths of a disk that is nearly full: below `storage.min_free_ratio`.
const LOW: u64 = 20;

/// What is broken at the moment.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// Without power: what was not synced is gone, or torn.
    Crashed(u64),
    /// For so long that it is given up.
    Away(u64),
    /// It comes back without something.
    Lost(u64, Loss),
    /// Its process is gone; what it wrote is still there.
    Killed(u64),
    /// Its process does not run, and later goes on as if nothing had been.
    Stopped(u64),
    /// Its disk says that little is left.
    Low(u64),
    /// There is no room on its disk.
    Full(u64),
    /// The same, and it starts like that.
    StartedFull(u64),
    Cut(u64, u64),
    CutOneWay(u64, u64),
    /// From all other hosts; writers and operators still reach it.
    Isolated(u64),
}

impl Fault {
    /// One for a cluster of `hosts`; with `losses` it may be one that loses data.
    pub(super) fn choose(rng: &mut SmallRng, hosts: u64, losses: bool) -> Fault {
        let a = rng.random_range(1..=hosts);
        let b = (a + rng.random_range(0..hosts - 1)) % hosts + 1;
        match rng.random_range(0..20) {
            0..=1 if losses => {
                let losses = [Loss::Disk, Loss::Stores, Loss::File];
                Fault::Lost(a, losses[rng.random_range(0..losses.len())])
            }
            0..=4 => Fault::Crashed(a),
            5..=6 => Fault::Killed(a),
            7..=9 => Fault::Stopped(a),
            10 => Fault::Low(a),
            11..=12 => Fault::Full(a),
            13 => Fault::StartedFull(a),
            14..=15 => Fault::Cut(a, b),
            16..=17 => Fault::CutOneWay(a, b),
            18 => Fault::Isolated(a),
            _ => Fault::Away(a),
        }
    }

    /// For people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Fault::Crashed(_) => "crash",
            Fault::Away(_) => "long crash",
            Fault::Lost(_, Loss::Disk) => "lost disk",
            Fault::Lost(..) => "lost data",
            Fault::Killed(_) => "kill",
            Fault::Stopped(_) => "pause",
            Fault::Low(_) => "low disk",
            Fault::Full(_) => "full disk",
            Fault::StartedFull(_) => "start on a full disk",
            Fault::Cut(..) => "cut",
            Fault::CutOneWay(..) => "cut one way",
            Fault::Isolated(_) => "isolation",
        }
    }

    /// Whose process it ends, or keeps from starting.
    pub(super) fn keeps_down(self) -> Option<u64> {
        match self {
            Fault::Crashed(host) | Fault::Away(host) | Fault::Lost(host, _) => Some(host),
            Fault::Killed(host) | Fault::Full(host) | Fault::StartedFull(host) => Some(host),
            Fault::Stopped(_) | Fault::Low(_) | Fault::Cut(..) | Fault::CutOneWay(..) | Fault::Isolated(_) => None,
        }
    }

    /// How long it lasts, in milliseconds.
    pub(super) fn lasts_ms(self) -> Range<u64> {
        match self {
            Fault::Away(_) => 9_000..16_000,
            Fault::Stopped(_) => 200..8_000,
            // The room is looked at once a second or so.
            Fault::Low(_) | Fault::Full(_) | Fault::StartedFull(_) => 1_000..6_000,
            _ => 100..5_000,
        }
    }

    pub(super) fn inflict(self, sim: &mut Sim<'_>, hosts: &[HostWorld]) {
        let world = |host: u64| &hosts[host as usize - 1];
        match self {
            Fault::Lost(host, loss) => {
                world(host).loss.set(loss);
                sim.crash(address(host).as_str());
            }
            Fault::Crashed(host) | Fault::Away(host) => sim.crash(address(host).as_str()),
            Fault::Killed(host) => world(host).process.kill(),
            Fault::Stopped(host) => world(host).process.stop(),
            Fault::Low(host) => world(host).room.set(LOW),
            Fault::Full(host) => world(host).room.set(0),
            Fault::StartedFull(host) => {
                world(host).room.set(0);
                sim.crash(address(host).as_str());
                sim.bounce(address(host).as_str());
            }
            Fault::Cut(a, b) => sim.partition(address(a).as_str(), address(b).as_str()),
            Fault::CutOneWay(a, b) => sim.partition_oneway(address(a).as_str(), address(b).as_str()),
            Fault::Isolated(host) => {
                others(host, hosts).for_each(|other| sim.partition(address(host).as_str(), other.as_str()));
            }
        }
    }

    pub(super) fn heal(self, sim: &mut Sim<'_>, hosts: &[HostWorld]) {
        let world = |host: u64| &hosts[host as usize - 1];
        match self {
            Fault::Crashed(host) | Fault::Away(host) | Fault::Lost(host, _) => sim.bounce(address(host).as_str()),
            Fault::Killed(host) | Fault::Stopped(host) => world(host).process.go_on(),
            Fault::Low(host) | Fault::Full(host) | Fault::StartedFull(host) => world(host).room.set(ROOMY),
            Fault::Cut(a, b) => sim.repair(address(a).as_str(), address(b).as_str()),
            Fault::CutOneWay(a, b) => sim.repair_oneway(address(a).as_str(), address(b).as_str()),
            Fault::Isolated(host) => {
                others(host, hosts).for_each(|other| sim.repair(address(host).as_str(), other.as_str()));
            }
        }
    }
}

fn others(host: u64, hosts: &[HostWorld]) -> impl Iterator<Item = String> {
    (1..=hosts.len() as u64)
        .filter(move |other| *other != host)
        .map(address)
}
