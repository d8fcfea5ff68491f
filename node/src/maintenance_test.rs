//! How far a trim goes.

use super::*;

const DAY: u64 = 86_400_000;
const STEP: Duration = Duration::from_secs(600);

fn to(wanted: u64, trimmed: u64, oldest: Option<u64>) -> Option<u64> {
    let oldest = oldest.map(UnixMillis);
    trim_to(UnixMillis(wanted), UnixMillis(trimmed), oldest, STEP).map(|before| before.0)
}

#[test]
fn a_trim_follows_the_clock_by_small_steps() {
    let step = millis(STEP);
    assert_eq!(to(100 * DAY, 100 * DAY - 5, Some(100 * DAY - 5)), Some(100 * DAY));
    assert_eq!(to(100 * DAY, 99 * DAY, Some(99 * DAY)), Some(99 * DAY + step));
    assert_eq!(
        to(100 * DAY, 100 * DAY, Some(100 * DAY)),
        None,
        "the clock has not moved"
    );
    assert_eq!(to(99 * DAY, 100 * DAY, Some(100 * DAY)), None, "a trim never goes back");
}

#[test]
fn a_wrong_clock_drops_one_step_even_at_the_first_trim() {
    assert_eq!(to(465 * DAY, 0, Some(100 * DAY)), Some(100 * DAY + millis(STEP)));
    assert_eq!(to(465 * DAY, 0, None), None);
}

#[test]
fn time_without_posts_is_skipped() {
    assert_eq!(to(100 * DAY, 30 * DAY, Some(100 * DAY - 7)), Some(100 * DAY));
}
