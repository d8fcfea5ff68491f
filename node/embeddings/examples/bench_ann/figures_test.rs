//! Tests of the sums.

use super::*;

#[test]
fn the_median_is_the_middle() {
    assert_eq!(median(&[3.0, 100.0, 1.0]), 3.0);
    assert_eq!(median(&[4.0, 1.0, 2.0, 100.0]), 3.0);
    assert_eq!((median(&[7.0]), median(&[])), (7.0, 0.0));
}

#[test]
fn cost_lies_on_the_line_between_two_settings() {
    let (below, above) = (
        Point {
            recall: 0.9,
            cpu_us: 100.0,
        },
        Point {
            recall: 1.0,
            cpu_us: 300.0,
        },
    );
    assert!((cost_at(0.95, below, above) - 200.0).abs() < 1e-9);
    assert_eq!(
        cost_at(0.5, below, above),
        100.0,
        "never cheaper than what was measured"
    );
    assert_eq!(cost_at(1.0, below, above), 300.0);
    assert_eq!(cost_at(0.9, below, below), 100.0);
}

#[test]
fn the_bracket_is_the_first_setting_that_reaches_it_and_the_one_before() {
    let found = [0.8, 0.9, 0.97, 0.99];
    assert_eq!(bracket(0.95, &found), (1, 2));
    assert_eq!(bracket(0.9, &found), (0, 1));
    assert_eq!(bracket(0.1, &found), (0, 0));
    assert_eq!(bracket(1.0, &found), (3, 3));
}
