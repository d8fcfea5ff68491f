//! Hours have names that sort and can be read back.

use super::{Hour, moment};

const DAY_MS: u64 = 86_400_000;

#[test]
fn known_moments_have_known_names() {
    for (ms, name) in [
        (0, "1970-01-01T00"),
        (951_782_400_000, "2000-02-29T00"),
        (951_868_799_999, "2000-02-29T23"),
        (951_868_800_000, "2000-03-01T00"),
        (1_795_449_600_000, "2026-11-23T16"),
        (4_107_542_400_000, "2100-03-01T00"),
    ] {
        assert_eq!(Hour::at(ms).to_string(), name);
        assert_eq!(Hour::parse(name), Some(Hour::at(ms)), "{name}");
    }
}

#[test]
fn every_day_of_two_centuries_is_read_back_and_sorts_as_time_does() {
    let mut before = String::new();
    for day in 0..200 * 366 {
        let name = Hour::at(day * DAY_MS).to_string();
        assert!(before < name, "{before} {name}");
        assert_eq!(Hour::parse(&name), Some(Hour::at(day * DAY_MS)));
        before = name;
    }
}

#[test]
fn what_is_no_hour_is_refused() {
    for text in [
        "",
        "2026-11-23",
        "2026-11-23T24",
        "2026-02-30T01",
        "2026-13-01T00",
        "2026-00-01T00",
        "1969-12-31T23",
        "2026-1-23T16",
        "2026-11-23T6",
        "2026-11-23T16-1",
        "+2026-11-23T16",
        "2026-11-23-1T16",
        "20260-11-23T16",
    ] {
        assert_eq!(Hour::parse(text), None, "{text}");
    }
    assert_eq!(Hour::at(u64::MAX).to_string(), "9999-12-31T23");
}

#[test]
fn a_moment_is_written_to_the_millisecond() {
    assert_eq!(moment(1_795_449_600_000 + 3_599_007), "2026-11-23T16:59:59.007Z");
}
