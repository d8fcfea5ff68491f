//! The limit of log lines.

use super::*;

#[test]
fn one_line_per_second_and_the_next_says_how_many_are_missing() {
    let limit = LogLimit::default();
    let at = |millis| Monotonic(Duration::from_millis(millis));
    assert_eq!(limit.allow(at(0)), Some(0));
    assert_eq!(limit.allow(at(10)), None);
    assert_eq!(limit.allow(at(999)), None);
    assert_eq!(limit.allow(at(1000)), Some(2));
    assert_eq!(limit.allow(at(2500)), Some(0));
}
