//! How long something takes or was ago, in words for a person.

/// "14 min", "3 h", "2 days".
pub fn span(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0..=90 => format!("{seconds} s"),
        91..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
#[path = "span_test.rs"]
mod tests;
