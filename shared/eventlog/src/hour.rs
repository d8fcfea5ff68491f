//! An hour of the calendar, in UTC: the name of a partition.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};

const HOUR_MS: u64 = 3_600_000;
/// The last hour of the year 9999: later ones have no name of this form.
const LAST_MS: u64 = 253_402_297_200_000;

/// An hour from 1970 to 9999. Written `2026-11-23T16`, which sorts as time does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(DateTime<Utc>);

impl Hour {
    /// The hour of a moment in milliseconds since 1970.
    pub fn at(unix_ms: u64) -> Hour {
        Hour(utc(unix_ms - unix_ms % HOUR_MS))
    }

    /// Reads `2026-11-23T16`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Hour> {
        let found = NaiveDateTime::parse_from_str(&format!("{text}:00"), "%Y-%m-%dT%H:%M").ok()?;
        let found = Hour::at(u64::try_from(found.and_utc().timestamp_millis()).ok()?);
        // What is not written as we write it is not ours.
        (found.to_string() == text).then_some(found)
    }
}

/// A moment as `2026-11-23T16:00:00.000Z`.
pub(crate) fn moment(unix_ms: u64) -> String {
    utc(unix_ms).to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn utc(unix_ms: u64) -> DateTime<Utc> {
    let known = i64::try_from(unix_ms.min(LAST_MS))
        .ok()
        .and_then(DateTime::from_timestamp_millis);
    known.unwrap_or_default()
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%dT%H"))
    }
}

#[cfg(test)]
#[path = "hour_test.rs"]
mod tests;
