//! Dates of input files as milliseconds since the Unix epoch.

/// Parses `8/4/2016 11:52` (month, day, year, hour, minute; UTC).
pub(crate) fn month_first(text: &str) -> Option<u64> {
    let (date, time) = text.trim().split_once(' ')?;
    let [month, day, year] = numbers(date, '/')?;
    let [hour, minute] = numbers(time, ':')?;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || year < 1970 {
        return None;
    }
    let minutes = (days_since_epoch(year, month, day) * 24 + hour) * 60 + minute;
    u64::try_from(minutes * 60_000).ok()
}

fn numbers<const N: usize>(text: &str, separator: char) -> Option<[i64; N]> {
    let list: Option<Vec<i64>> = text.split(separator).map(|part| part.parse().ok()).collect();
    list?.try_into().ok()
}

/// Days from 1970-01-01 to a date of the Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date
/// algorithms", days_from_civil): years begin in March, so that leap days come last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
#[path = "calendar_test.rs"]
mod tests;
