//! Dates of input files as milliseconds since the Unix epoch.

use chrono::NaiveDateTime;

/// Parses `8/4/2016 11:52` (month, day, year, hour, minute; UTC); `None` for what is no date since 1970.
pub(crate) fn month_first(text: &str) -> Option<u64> {
    let date = NaiveDateTime::parse_from_str(text.trim(), "%m/%d/%Y %H:%M").ok()?;
    u64::try_from(date.and_utc().timestamp_millis()).ok()
}

#[cfg(test)]
#[path = "calendar_test.rs"]
mod tests;
