//! An hour of the calendar, in UTC: the name of a partition.

use std::fmt;

const HOUR_MS: u64 = 3_600_000;
/// Hours of the years 1970 to 9999: later ones have no name of this form.
const HOURS: u64 = 2_932_897 * 24;

/// Hours since 1970-01-01T00 UTC. Written `2026-11-23T16`, which sorts as time does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(u64);

impl Hour {
    /// The hour of a moment in milliseconds since 1970.
    pub fn at(unix_ms: u64) -> Hour {
        Hour((unix_ms / HOUR_MS).min(HOURS - 1))
    }

    /// Reads `2026-11-23T16`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Hour> {
        let (date, hour) = text.split_once('T')?;
        let mut parts = date.split('-');
        let mut number = || parts.next()?.parse::<u64>().ok();
        let (year, month, day) = (number()?, number()?, number()?);
        if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let found = Hour(days(year, month, day) * 24 + hour.parse::<u64>().ok()?);
        // What is not written as we write it, or is no date, is not ours.
        (found.to_string() == text).then_some(found)
    }
}

/// A moment as `2026-11-23T16:00:00.000Z`.
pub(crate) fn moment(unix_ms: u64) -> String {
    let (minutes, ms) = (unix_ms % HOUR_MS / 60_000, unix_ms % 60_000);
    format!("{}:{minutes:02}:{:02}.{:03}Z", Hour::at(unix_ms), ms / 1000, ms % 1000)
}

/// Days since 1970-01-01 of a date of the Gregorian calendar, whose years are counted from March (Howard Hinnant, "chrono-compatible
/// low-level date algorithms").
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shifted = self.0 / 24 + 719_468;
        let (era, of_era) = (shifted / 146_097, shifted % 146_097);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let shifted_month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        let year = year + era * 400 + u64::from(month <= 2);
        write!(f, "{year:04}-{month:02}-{day:02}T{:02}", self.0 % 24)
    }
}

#[cfg(test)]
#[path = "hour_test.rs"]
mod tests;
