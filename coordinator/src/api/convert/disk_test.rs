//! What is said of a slow disk.

use super::*;

const SLOW: DiskSpeed = DiskSpeed {
    slow: true,
    recent_stalls: 7,
    longest_recent_ms: 3240,
    going_on_ms: 0,
    stalls: 9,
    longest_ms: 5000,
    last_stall_ms: Some(800),
    mean_us: 1500,
};

#[test]
fn a_slow_disk_is_told_with_its_stalls_and_the_one_that_goes_on() {
    let said = |speed| slow(NodeId(2), &speed).expect("it is slow");
    assert_eq!(
        said(SLOW),
        "the disk of node 2 is slow: 7 writes of the log took 200 ms or more in the last minute, the longest 3.2 s"
    );
    let one = DiskSpeed {
        recent_stalls: 1,
        going_on_ms: 400,
        ..SLOW
    };
    assert_eq!(
        said(one),
        "the disk of node 2 is slow: a write of the log took 3.2 s; one has not ended after 0.4 s"
    );
    let hangs = DiskSpeed {
        slow: true,
        going_on_ms: 61_000,
        ..DiskSpeed::default()
    };
    assert_eq!(
        said(hangs),
        "the disk of node 2 is slow: one write of the log has not ended after 61.0 s"
    );
}

#[test]
fn stalls_of_a_disk_that_is_not_slow_are_figures_only() {
    let speed = DiskSpeed { slow: false, ..SLOW };
    assert_eq!(slow(NodeId(2), &speed), None);
    let figures = figures(&speed);
    assert_eq!((figures.stalls, figures.mean_ms), (9, 1.5));
    assert_eq!(figures.last_stall_ms, 800);
}
