//! Values on the command line.

use std::time::Duration;

use covey_api::v1::PostKey;

/// Parses 250ms, 60s, 5m, 2h.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let wrong = || format!("{text:?} is no time; write 250ms, 60s, 5m or 2h");
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let unit = match &text[digits..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit).map(Duration::from_millis).ok_or_else(wrong)
}

/// Parses KEY=VALUE.
pub(super) fn setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or("write KEY=VALUE, such as feed.oon_factor=0.5")?;
    match (key.trim(), value.trim()) {
        (key, "") => Err(format!(
            "{key} has no value; `covey config unset {key}` has the file count again"
        )),
        (key, value) => Ok((key.to_owned(), value.to_owned())),
    }
}

/// Parses the length of a pause.
pub(super) fn pause(text: &str) -> Result<Duration, String> {
    let longest = Duration::from_secs(24 * 3600);
    bounded(
        text,
        longest,
        "a pause is longer than 0 and at most 24h; pause again when it is over",
    )
}

/// Parses the time that an operation may take.
pub(super) fn limit(text: &str) -> Result<Duration, String> {
    let longest = Duration::from_secs(30 * 24 * 3600);
    bounded(text, longest, "a limit is longer than 0 and at most 720h (30 days)")
}

/// Parses the time of a maintenance.
pub(super) fn maintenance(text: &str) -> Result<Duration, String> {
    let longest = Duration::from_secs(7 * 24 * 3600);
    bounded(
        text,
        longest,
        "a maintenance is longer than 0 and at most 168h (a week)",
    )
}

fn bounded(text: &str, longest: Duration, wrong: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    match (Duration::from_millis(1)..=longest).contains(&time) {
        true => Ok(time),
        false => Err(wrong.to_owned()),
    }
}

pub(super) fn dimension(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(dim) if (1..=4096).contains(&dim) => Ok(dim),
        _ => Err("a dimension is a number from 1 to 4096".to_owned()),
    }
}

/// As many as `bench` has ports for.
pub(super) fn nodes(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(nodes) if (1..=3).contains(&nodes) => Ok(nodes),
        _ => Err("1, 2 or 3 nodes".to_owned()),
    }
}

/// Parses `author/post` or `post`.
pub(super) fn post_key(text: &str) -> Result<PostKey, String> {
    let id = |part: &str| match part.parse::<u64>() {
        Ok(id) if id > 0 => Ok(id),
        _ => Err(format!(
            "{text:?} is no post; write author/post or post, as numbers above 0"
        )),
    };
    match text.split_once('/') {
        Some((author, post)) => Ok(PostKey {
            author_id: id(author)?,
            post_id: id(post)?,
        }),
        None => Ok(PostKey {
            author_id: 0,
            post_id: id(text)?,
        }),
    }
}

pub(super) fn owned_post_key(text: &str) -> Result<PostKey, String> {
    match post_key(text)? {
        PostKey { author_id: 0, .. } => Err(format!(
            "{text:?} names no author; write author/post (`covey get {text}` tells)"
        )),
        key => Ok(key),
    }
}
