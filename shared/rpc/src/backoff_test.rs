//! Pauses between attempts.

use super::*;

/// Always the largest number below one.
struct Largest;

impl Entropy for Largest {
    fn next_u64(&self) -> u64 {
        u64::MAX
    }
}

/// Always zero.
struct Smallest;

impl Entropy for Smallest {
    fn next_u64(&self) -> u64 {
        0
    }
}

#[test]
fn pauses_double_up_to_the_longest_and_start_over_after_success() {
    let mut backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(35));
    let millis = |pause: Duration| pause.as_millis();
    let pauses: Vec<u128> = (0..4).map(|_| millis(backoff.next(&Smallest))).collect();
    assert_eq!(pauses, [5, 10, 17, 17]);
    backoff.reset();
    assert_eq!(backoff.next(&Largest).as_micros().div_ceil(100), 100);
}

#[test]
fn many_failures_do_not_overflow() {
    let mut backoff = Backoff::new(Duration::from_secs(60), Duration::from_secs(60));
    backoff.failures = u32::MAX;
    assert!(backoff.next(&Largest) <= Duration::from_secs(60));
}
