//! The cluster in a deterministic simulator: real node code on simulated hosts, faults, invariants, seeds.
//!
//! One run: [`run`] builds five hosts, writers and operators who have replicas moved and hosts drained, lets the nemesis crash and partition
//! them, heals everything, and checks what the writers were told against what the replicas hold. The same seed gives the same trace hash.
//!
//! [`crash`] is the other half: one replica, no network, and a disk that does all that disks may do.

mod client;
mod cluster;
mod coordinators;
pub mod crash;
mod desk;
mod env;
mod fates;
mod follows;
mod history;
mod invariants;
mod linearizable;
mod loss;
mod nemesis;
mod operators;
mod panics;
mod process;
mod reports;
mod sharers;
mod verify;

use std::time::Duration;

pub use cluster::{Outcome, run};
pub use env::DiskFault;
pub use nemesis::Faults;

/// One run of the simulator.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Everything random comes from it.
    pub seed: u64,
    /// Simulated time with faults.
    pub faults_for: Duration,
    /// A defect that the run should find.
    pub defect: DiskFault,
}

impl Plan {
    /// 20 simulated seconds of faults on healthy disks.
    pub fn new(seed: u64) -> Plan {
        Plan {
            seed,
            faults_for: Duration::from_secs(20),
            defect: DiskFault::None,
        }
    }
}

#[cfg(test)]
#[path = "bugs_test.rs"]
mod bugs_tests;
#[cfg(test)]
#[path = "sim_test.rs"]
mod tests;
