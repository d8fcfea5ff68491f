//! Spans of all lengths.

use super::*;

#[test]
fn a_span_is_told_in_the_unit_that_says_something() {
    let (minute, hour, day) = (60_000, 3_600_000, 86_400_000);
    let spans = [
        0,
        90_999,
        91_000,
        14 * minute,
        91 * minute,
        2 * hour,
        48 * hour,
        49 * hour,
        348 * day,
    ];
    assert_eq!(
        spans.map(span).join(", "),
        "0 s, 90 s, 1 min, 14 min, 91 min, 2 h, 48 h, 2 days, 348 days"
    );
    assert!(span(u64::MAX).ends_with(" days"));
}
