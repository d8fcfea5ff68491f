//! The worker's turns, on a clock that is set by hand.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use covey_ann::Metric;
use futures::FutureExt;

use super::*;
use crate::fixture::{Fixture, damage, env, small_options};

const INTERVAL: Duration = Duration::from_secs(1);

/// Seconds since the start.
#[derive(Default)]
struct SetClock(AtomicU64);

impl Clock for SetClock {
    fn monotonic(&self) -> Monotonic {
        Monotonic(Duration::from_secs(self.0.load(Ordering::Relaxed)))
    }

    fn unix_ms(&self) -> u64 {
        0
    }

    fn rpc_deadline(&self, left: Duration) -> Instant {
        env().clock.rpc_deadline(left)
    }
}

/// Two sealed folders that will merge, and a row in one that cannot be copied.
fn damaged() -> Fixture {
    let mut fixture = Fixture::new(8, Metric::Cosine, small_options());
    (1..=129).for_each(|post| fixture.put(post, 1));
    let maintainer = fixture.partition().maintainer();
    (0..2).for_each(|_| assert!(matches!(maintainer.step(), Ok(Step::Sealed { .. }))));
    damage(&fixture.file("000000/rows.emb"), 4096 + 10 * 64 + 1);
    fixture
}

/// A turn at a rate that nothing waits for.
fn turned(partitions: &mut Vec<Maintained>, clock: &SetClock) -> bool {
    let builds = Builds::new(Arc::clone(&env().clock), u64::MAX);
    let turn = turn(partitions, clock, INTERVAL, &builds).now_or_never();
    turn.expect("there is nothing to wait for")
}

/// Each attempt to merge takes a number.
fn attempts(fixture: &mut Fixture) -> u32 {
    fixture.partition().shared.state.lock().next_folder - 3
}

#[test]
fn a_partition_that_fails_is_tried_less_and_less_often_until_a_step_goes_well() {
    let mut fixture = damaged();
    let clock = SetClock::default();
    let mut partitions = vec![Maintained::new(fixture.partition().maintainer())];
    let mut tried_at = Vec::new();
    for second in 0..200 {
        clock.0.store(second, Ordering::Relaxed);
        assert!(!turned(&mut partitions, &clock));
        if attempts(&mut fixture) as usize > tried_at.len() {
            tried_at.push(second);
        }
    }
    assert_eq!(tried_at, [0, 1, 3, 7, 15, 31, 63, 123, 183]);
    // The row dies, so nothing is left to fail.
    fixture.delete(11);
    clock.0.store(243, Ordering::Relaxed);
    assert!(turned(&mut partitions, &clock));
    assert_eq!(partitions[0].errors, 0);
    assert!(!turned(&mut partitions, &clock), "it does not rest any more");
}

#[test]
fn a_failing_partition_holds_up_no_other_and_is_let_go_while_it_rests() {
    let (mut failing, mut sound) = (damaged(), Fixture::new(8, Metric::Cosine, small_options()));
    let clock = SetClock::default();
    let mut partitions = vec![
        Maintained::new(failing.partition().maintainer()),
        Maintained::new(sound.partition().maintainer()),
    ];
    assert!(!turned(&mut partitions, &clock));
    (1..=65).for_each(|post| sound.put(post, 1));
    assert!(turned(&mut partitions, &clock));
    assert_eq!(attempts(&mut failing), 1);
    failing.partition = None;
    turned(&mut partitions, &clock);
    assert_eq!(partitions.len(), 1);
}

#[test]
fn the_rest_has_a_bound_and_is_never_shorter_than_the_interval() {
    assert_eq!(rest(INTERVAL, u32::MAX), LONGEST_REST);
    assert_eq!(rest(Duration::from_secs(600), 9), Duration::from_secs(600));
}
