//! Passes by the clock and by what searches meet.

use super::*;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn at(seconds: u64) -> Monotonic {
    Monotonic(Duration::from_secs(seconds))
}

fn rows(rows: u64) -> Met {
    Met { rows, losses: 0 }
}

#[test]
fn a_pass_is_due_at_the_start_and_once_per_interval() {
    let mut schedule = Schedule::new(DAY);
    assert_eq!(schedule.due(at(5), rows(0)), Due::Pass);
    schedule.passed(at(100), rows(0), End::Sound, false);
    assert_eq!(schedule.due(at(101), rows(0)), Due::Nothing);
    assert_eq!(schedule.due(at(100 + 24 * 3600 - 1), rows(0)), Due::Nothing);
    assert_eq!(schedule.due(at(100 + 24 * 3600), rows(0)), Due::Pass);
}

#[test]
fn damage_that_searches_meet_is_looked_for_at_once_but_not_all_the_time() {
    let mut schedule = Schedule::new(DAY);
    schedule.passed(at(100), rows(3), End::Sound, false);
    assert_eq!(schedule.due(at(200), rows(3)), Due::Nothing);
    assert_eq!(schedule.due(at(200), rows(4)), Due::Pass);
    schedule.passed(at(200), rows(4), End::Sound, false);
    assert_eq!(schedule.due(at(205), rows(5)), Due::Nothing);
    assert_eq!(schedule.due(at(210), rows(5)), Due::Pass);
}

#[test]
fn rows_that_nobody_has_are_asked_for_again_less_and_less_often() {
    let mut schedule = Schedule::new(DAY);
    schedule.passed(at(0), rows(0), End::Unhealed, false);
    let mut now = 0;
    for pause in [10, 20, 40, 80, 160, 320, 600, 600] {
        assert_eq!(
            schedule.due(at(now + pause - 1), rows(99)),
            Due::Nothing,
            "searches meet them too"
        );
        now += pause;
        assert_eq!(schedule.due(at(now), rows(99)), Due::Heal);
        schedule.healed(at(now), 99, End::Unhealed);
    }
    schedule.healed(at(now), 99, End::Sound);
    assert_eq!(schedule.due(at(now), rows(99)), Due::Nothing, "what was met is healed");
    assert_eq!(schedule.due(at(now), rows(100)), Due::Pass, "there may be others");
}

#[test]
fn a_row_that_nobody_has_does_not_hide_other_damage_for_long() {
    let mut schedule = Schedule::new(DAY);
    schedule.passed(at(0), rows(5), End::Unhealed, false);
    for again in [10, 30, 70, 150, 310] {
        assert_eq!(schedule.due(at(again), rows(6)), Due::Heal);
        schedule.healed(at(again), 5, End::Unhealed);
    }
    assert_eq!(schedule.due(at(599), rows(6)), Due::Nothing);
    assert_eq!(schedule.due(at(600), rows(5)), Due::Nothing);
    assert_eq!(schedule.due(at(600), rows(6)), Due::Pass);
}

#[test]
fn more_damage_than_one_pass_names_is_looked_for_in_another_one_soon() {
    let mut schedule = Schedule::new(DAY);
    for end in [End::Sound, End::Unhealed] {
        schedule.passed(at(100), rows(0), end, true);
        assert_eq!(schedule.due(at(109), rows(0)), Due::Nothing);
        assert_eq!(schedule.due(at(110), rows(0)), Due::Pass);
    }
}

#[test]
fn a_replica_that_took_the_place_of_another_is_read_soon() {
    let mut schedule = Schedule::new(DAY);
    schedule.passed(at(100), rows(7), End::Unhealed, false);
    schedule.replaced(at(200));
    assert_eq!(
        (schedule.due(at(209), rows(0)), schedule.due(at(210), rows(0))),
        (Due::Nothing, Due::Pass)
    );
}

#[test]
fn pages_that_are_lost_during_a_pass_or_beside_unhealed_rows_are_looked_for_soon() {
    for end in [End::Sound, End::Unhealed] {
        let mut schedule = Schedule::new(DAY);
        let met = |losses| Met { rows: 9, losses };
        schedule.passed(at(100), met(1), end, false);
        // Before the healing that is due, too.
        assert_eq!(schedule.due(at(109), met(2)), Due::Nothing);
        assert_eq!(schedule.due(at(110), met(2)), Due::Pass);
        schedule.passed(at(110), met(2), end, false);
        assert_eq!(schedule.due(at(119), met(2)), Due::Nothing, "each is met once");
    }
}
