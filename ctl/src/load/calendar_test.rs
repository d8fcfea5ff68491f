//! Dates.

use super::*;

#[test]
fn dates_are_read_month_first() {
    assert_eq!(month_first("1/1/1970 0:00"), Some(0));
    assert_eq!(month_first("8/4/2016 11:52"), Some(1_470_311_520_000));
    assert_eq!(month_first("2/29/2024 23:59"), Some(1_709_251_140_000));
}

#[test]
fn nonsense_is_no_date() {
    for text in [
        "",
        "2016-08-04",
        "13/1/2016 1:00",
        "1/1/2016 25:00",
        "a/b/c 1:2",
        "1/1/1 1:1",
        "1/1/2016",
        "2/30/2016 1:00",
    ] {
        assert_eq!(month_first(text), None, "{text}");
    }
}
