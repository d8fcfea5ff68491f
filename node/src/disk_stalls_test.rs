//! What counts as a stall, when a disk is slow, and what follows.

use super::*;

fn at(ms: u64) -> Monotonic {
    Monotonic(Duration::from_millis(ms))
}

/// Turns that sync: (begin, length), in milliseconds.
fn turns(stalls: &DiskStalls, turns: &[(u64, u64)]) {
    for (begin, took) in turns {
        stalls.begin(at(*begin));
        stalls.end(at(begin + took), true);
    }
}

fn after(list: &[(u64, u64)]) -> DiskStalls {
    let stalls = DiskStalls::default();
    turns(&stalls, list);
    stalls
}

#[test]
fn a_turn_of_a_fifth_of_a_second_is_a_stall_and_a_shorter_one_is_not() {
    let stalls = after(&[(0, 5), (100, 199), (1000, 200), (2000, 700)]);
    let speed = stalls.look(at(5000));
    assert_eq!((speed.total, speed.recent), (2, 2));
    assert_eq!(speed.longest, Duration::from_millis(700));
    assert_eq!(speed.last, Some(Duration::from_millis(2300)));
    assert!(!speed.calm && !speed.slow);
}

#[test]
fn three_stalls_within_a_minute_make_a_disk_slow_until_a_quiet_minute_has_passed() {
    let stalls = after(&[(0, 300), (20_000, 300), (40_000, 300)]);
    assert!(stalls.look(at(40_300)).slow);
    assert!(stalls.look(at(80_000)).slow, "one is less than a minute ago");
    assert!(stalls.look(at(100_300)).slow);
    let speed = stalls.look(at(100_301));
    assert!(!speed.slow && speed.calm);
    assert_eq!((speed.recent, speed.longest_recent), (0, Duration::ZERO));
    assert_eq!((speed.total, speed.longest), (3, Duration::from_millis(300)));
}

#[test]
fn stalls_that_are_further_apart_do_not_make_a_disk_slow() {
    let stalls = after(&[(0, 300), (31_000, 300), (62_000, 300), (93_000, 300)]);
    assert!(!stalls.look(at(93_300)).slow);
}

#[test]
fn one_more_stall_begins_the_quiet_minute_anew() {
    let stalls = after(&[(0, 300), (1000, 300), (2000, 300), (55_000, 300)]);
    assert!(stalls.look(at(100_000)).slow);
    assert!(!stalls.look(at(115_301)).slow);
}

#[test]
fn a_stall_counts_while_it_still_goes_on() {
    let stalls = DiskStalls::default();
    stalls.begin(at(1000));
    assert_eq!(stalls.look(at(1199)).going_on, None);
    assert!(stalls.look(at(1199)).calm);
    let speed = stalls.look(at(1200));
    assert_eq!(speed.going_on, Some(Duration::from_millis(200)));
    assert!(!speed.calm && !speed.slow);
    let speed = stalls.look(at(3000));
    assert!(speed.slow, "two seconds are enough by themselves");
    assert_eq!((speed.total, speed.recent), (0, 0), "it has not ended");
    stalls.end(at(4000), true);
    let speed = stalls.look(at(4000));
    assert_eq!((speed.total, speed.recent, speed.going_on), (1, 1, None));
}

#[test]
fn the_mean_follows_the_turns_that_sync() {
    let stalls = after(&[(0, 16)]);
    assert_eq!(stalls.look(at(100)).mean, Duration::from_millis(16));
    stalls.begin(at(100));
    stalls.end(at(100), false);
    assert_eq!(
        stalls.look(at(100)).mean,
        Duration::from_millis(16),
        "nothing was synced"
    );
    turns(&stalls, &[(100, 32)]);
    assert_eq!(stalls.look(at(200)).mean, Duration::from_millis(17));
}

#[test]
fn what_a_node_says_of_its_disk_is_in_its_status() {
    let stalls = after(&[(0, 300), (1000, 2500)]);
    stalls.begin(at(4000));
    let status = stalls.status(at(4250));
    assert_eq!(
        status,
        DiskSpeed {
            slow: true,
            recent_stalls: 2,
            longest_recent_ms: 2500,
            going_on_ms: 250,
            stalls: 2,
            longest_ms: 2500,
            last_stall_ms: Some(750),
            mean_us: 437_500,
        }
    );
}

#[test]
fn warnings_come_at_most_every_ten_seconds_and_count_what_they_left_out() {
    let (stalls, mut watch) = (DiskStalls::default(), StallWatch::default());
    let mut warned = Vec::new();
    for second in 0..30 {
        if second < 15 {
            turns(&stalls, &[(second * 1000, 250)]);
        }
        let now = at(second * 1000 + 300);
        if let Some(count) = watch.judge(now, stalls.look(now)).warn {
            warned.push((second, count));
        }
    }
    assert_eq!(warned, [(0, 1), (10, 10), (20, 4)]);
}

#[test]
fn a_slow_disk_offers_its_leaderships_at_once_and_then_seldom() {
    let (stalls, mut watch) = (DiskStalls::default(), StallWatch::default());
    let mut offered = Vec::new();
    let mut turned = Vec::new();
    for second in 0..90 {
        if (5..8).contains(&second) {
            turns(&stalls, &[(second * 1000, 250)]);
        }
        let now = at(second * 1000 + 300);
        let steps = watch.judge(now, stalls.look(now));
        if steps.hand_over {
            offered.push(second);
        }
        turned.extend(steps.turned.map(|slow| (second, slow)));
    }
    assert_eq!(offered, [7, 17, 27, 37, 47, 57]);
    assert_eq!(turned, [(7, true), (67, false)]);
}
