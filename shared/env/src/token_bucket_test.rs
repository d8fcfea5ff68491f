//! What a rate allows.

use super::*;

#[test]
fn bytes_wait_for_those_before_them_and_idle_time_is_not_saved_up() {
    let at = |ms| Monotonic(Duration::from_millis(ms));
    let mut bucket = TokenBucket::new(1000);
    assert_eq!(bucket.charge(at(5_000), 100), Duration::from_millis(100));
    assert_eq!(bucket.charge(at(5_000), 100), Duration::from_millis(200));
    assert_eq!(bucket.charge(at(5_150), 0), Duration::from_millis(50));
    assert_eq!(bucket.charge(at(60_000), 500), Duration::from_millis(500));
}
