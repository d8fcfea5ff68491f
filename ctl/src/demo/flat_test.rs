//! Flat or not.

use super::*;

#[test]
fn what_rises_and_then_stays_is_flat() {
    let samples: Vec<f64> = (0..300)
        .map(|n: u32| f64::from(n.min(90)) * 10.0 + f64::from(n % 7))
        .collect();
    let course = Course::of("x", &samples, 1.0);
    assert!(course.flat, "{course:?}");
    assert!(course.line.starts_with('▁') && course.line.ends_with('█'), "{course:?}");
}

#[test]
fn what_goes_on_rising_is_not() {
    let samples: Vec<f64> = (0..300).map(|n| 1000.0 + 5.0 * f64::from(n)).collect();
    assert!(!Course::of("x", &samples, 1.0).flat);
    assert!(!Course::of("x", &samples, 0.5).flat, "less load excuses nothing");
    assert!(Course::of("x", &samples, 1.3).flat, "the load grew as much");
}

#[test]
fn nothing_measured_is_not_flat_and_no_panic() {
    for samples in [&[][..], &[1.0], &[0.0, 0.0]] {
        assert!(!Course::of("x", samples, 1.0).flat);
    }
    assert!(Course::of("x", &[0.0; 9], 1.0).flat);
}
