//! The simulated form of every seam: time, randomness, disk, network and threads of one host.
//!
//! Everything runs on the host's `LocalSet`: no thread, no pool, so that a seed replays exactly.

mod clock;
mod disk;
mod net;
mod spawn;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use covey_env::{Entropy, Env};
use rand::rngs::SmallRng;
use rand::{RngCore, SeedableRng};

pub(crate) use clock::Skew;
pub use disk::DiskFault;
pub(crate) use disk::{Pace, Room};
pub(crate) use net::Neighbours;

use crate::loss::NextLoss;
use crate::process::Process;

/// What one incarnation of a host is made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostWorld {
    /// Seed of the run.
    pub(crate) seed: u64,
    /// Number of the host, 1-based.
    pub(crate) host: u64,
    /// How often the host has started, so that a restart draws other numbers.
    pub(crate) incarnation: u64,
    /// What is wrong with the disk, on purpose.
    pub(crate) fault: DiskFault,
    /// Room that its disk says it has.
    pub(crate) room: Room,
    /// How long it takes to sync the log.
    pub(crate) pace: Pace,
    /// How wrong its calendar is.
    pub(crate) skew: Skew,
    /// What is to be gone from its disk before the next start.
    pub(crate) loss: NextLoss,
    /// Signals to what runs on it.
    pub(crate) process: Process,
    /// Whom it can call.
    pub(crate) neighbours: Neighbours,
}

/// The world of one host. Must be called inside the host.
pub(crate) fn env(world: &HostWorld) -> Env {
    Env {
        clock: Arc::new(clock::SimClock {
            skew: world.skew.clone(),
        }),
        entropy: Arc::new(SeededEntropy::new(world)),
        disk: Arc::new(disk::SimDisk {
            fault: world.fault,
            room: world.room.clone(),
            pace: world.pace.clone(),
        }),
        net: Arc::new(net::SimNet {
            neighbours: world.neighbours.clone(),
        }),
        spawn: Arc::new(spawn::SimSpawn),
    }
}

/// Numbers from the seed, the host and its incarnation. Each draw mixes a counter, so that no lock is needed.
struct SeededEntropy {
    base: u64,
    drawn: AtomicU64,
}

impl SeededEntropy {
    fn new(world: &HostWorld) -> Self {
        let mixed = world.seed ^ world.host.rotate_left(40) ^ world.incarnation.rotate_left(20);
        SeededEntropy {
            base: SmallRng::seed_from_u64(mixed).next_u64(),
            drawn: AtomicU64::new(0),
        }
    }
}

impl Entropy for SeededEntropy {
    fn next_u64(&self) -> u64 {
        let n = self.drawn.fetch_add(1, Ordering::Relaxed);
        SmallRng::seed_from_u64(self.base.wrapping_add(n)).next_u64()
    }
}

#[cfg(test)]
#[path = "env_test.rs"]
mod tests;
