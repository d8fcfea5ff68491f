//! The simulated seams keep the promises that the production code relies on.

use std::path::Path;
use std::time::Duration;

use super::*;

#[test]
fn the_simulated_world_passes_the_conformance_suites() {
    let mut sim = turmoil::Builder::new()
        .simulation_duration(Duration::from_secs(60))
        .build();
    sim.client("10.0.0.1", async {
        let world = HostWorld {
            seed: 1,
            host: 1,
            incarnation: 1,
            fault: DiskFault::None,
            ..HostWorld::default()
        };
        let env = env(&world);
        covey_env::conformance::clock(&env);
        covey_env::conformance::entropy(&env);
        covey_env::conformance::disk(&env, Path::new("/data"));
        covey_env::conformance::spawn(&env).await;
        covey_env::conformance::net(&env, "0.0.0.0:7000", "10.0.0.1").await;
        Ok(())
    });
    sim.run().expect("the suites pass");
}

#[test]
fn numbers_depend_on_seed_host_and_incarnation_only() {
    let draw = |seed, host, incarnation| {
        let entropy = SeededEntropy::new(&HostWorld {
            seed,
            host,
            incarnation,
            fault: DiskFault::None,
            ..HostWorld::default()
        });
        [entropy.next_u64(), entropy.next_u64()]
    };
    assert_eq!(draw(1, 1, 1), draw(1, 1, 1));
    let all = [draw(1, 1, 1), draw(2, 1, 1), draw(1, 2, 1), draw(1, 1, 2)];
    assert!(all.iter().enumerate().all(|(i, a)| all[i + 1..].iter().all(|b| a != b)));
}
