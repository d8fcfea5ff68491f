//! Feeds, search hits and single posts as cards.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use covey_api::v1::{
    Channel, FeedPost, GetFeedReply, GetPostResult, GetStatus, Media, MediaKind, PostExplanation, SearchReply,
    Visibility,
};

use super::answer;
use super::explain;
use super::text::{Style, age, wrapped};

/// A feed. Why-lines tell more when the reply carries explanations.
pub(crate) fn feed(reply: &GetFeedReply, viewer: u64, took_ms: f64, now_ms: u64, style: Style) -> String {
    let mut out = format!("{}\n", style.bold(&heading(reply, viewer, took_ms)));
    if reply.no_history {
        // Where only posts of followed users are wanted, nothing is shown instead; and actions may not have been looked at.
        out.push_str(match reply.posts.iter().all(|post| post.in_network) {
            true => "The viewer follows nobody and no topic, and subscribes to nobody.\n",
            false => {
                "The viewer follows nobody and no topic, subscribes to nobody and has acted on nothing: \
                 popular, new and much discussed posts.\n"
            }
        });
    }
    out.push('\n');
    let reasons: BTreeMap<u64, &PostExplanation> = reply
        .explanations
        .iter()
        .filter_map(|explanation| Some((explanation.post?.post_id, explanation)))
        .collect();
    for (place, post) in reply.posts.iter().enumerate() {
        out.push_str(&card(place + 1, post, now_ms, style));
        let why = match reasons.get(&post.post_id) {
            _ if post.author_id == viewer => "you wrote it".to_owned(),
            Some(explanation) => explain::why(explanation, post),
            None => channels(post),
        };
        out.push_str(&style.dim(wrapped(&format!("why: {why}"), 4).trim_end()));
        out.push_str("\n\n");
    }
    if let Some(answer) = &reply.answer {
        out.push_str(&answer::honesty(answer, style));
        out.push_str(&answer::timings(answer, style));
    }
    out
}

fn heading(reply: &GetFeedReply, viewer: u64, took_ms: f64) -> String {
    let followed = reply.posts.iter().filter(|post| post.in_network).count();
    format!(
        "Feed of user {viewer} · {} posts, {followed} in network · {took_ms:.0} ms",
        reply.posts.len()
    )
}

fn card(place: usize, post: &FeedPost, now_ms: u64, style: Style) -> String {
    let name = |user: u64| match post.screen_names.get(&user) {
        Some(name) if !name.is_empty() => format!("@{name}"),
        _ => format!("user {user}"),
    };
    let mut head = format!(
        "{place:>2}. {} · {}",
        style.name(&name(post.author_id)),
        age(post.created_at_ms, now_ms)
    );
    if post.retweeted_post_id != 0 {
        write!(head, " · reposts {}", name(post.retweeted_user_id)).expect("writing to a string");
    }
    if post.in_reply_to_post_id != 0 {
        let parent = post.ancestors.first().map_or(0, |parent| parent.author_id);
        let whom = if parent == 0 {
            format!("post {}", post.in_reply_to_post_id)
        } else {
            name(parent)
        };
        write!(head, " · answers {whom}").expect("writing to a string");
    }
    if post.quoted_post_id != 0 {
        write!(head, " · quotes {}", name(post.quoted_user_id)).expect("writing to a string");
    }
    head.push_str(&style.dim(&format!(" · post {}", post.post_id)));
    if post.visibility() == Visibility::Interstitial {
        head.push_str(&style.bad(&format!(" · behind a warning: {}", post.visibility_reason)));
    }
    format!("{head}\n{}{}", wrapped(&post.text, 4), media(&post.media))
}

fn media(list: &[Media]) -> String {
    let mut out = String::new();
    for item in list {
        match item.kind() {
            MediaKind::Video => writeln!(out, "    [video, {} s]", item.duration_ms / 1000),
            _ => writeln!(out, "    [photo]"),
        }
        .expect("writing to a string");
    }
    out
}

/// Why a post was found, without an explanation.
fn channels(post: &FeedPost) -> String {
    let found: Vec<&str> = post.served_type().map(channel).collect();
    let found = (!found.is_empty()).then(|| found.join(" and "));
    // In the feed of followed users nothing is scored.
    let score = (post.last_scored_at_ms != 0).then(|| format!("score {:.4}", post.score));
    let parts: Vec<String> = found.into_iter().chain(score).collect();
    parts.join(" · ")
}

/// A channel in the viewer's words.
pub(crate) fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Unspecified => "found",
        Channel::InNetwork => "you follow them",
        Channel::OutOfNetwork => "near what you liked",
        Channel::SimilarToRecent => "similar to a post you acted on",
        Channel::Popular => "popular now",
        Channel::New => "a new voice",
        Channel::Active => "a lively conversation",
        Channel::Collaborative => "liked by people who like what you like",
        Channel::Subscribed => "you subscribe to them",
        Channel::Topics => "a topic you follow",
        Channel::Local => "popular near you",
        Channel::External => "from an outside source",
    }
}

/// Search hits.
pub(crate) fn hits(reply: &SearchReply, took_ms: f64, now_ms: u64, style: Style) -> String {
    let mut out = format!(
        "{}\n\n",
        style.bold(&format!("{} posts · {took_ms:.0} ms", reply.hits.len()))
    );
    for (place, hit) in reply.hits.iter().enumerate() {
        let when = hit
            .post
            .as_ref()
            .map_or_else(String::new, |post| format!(" · {}", age(post.created_at_ms, now_ms)));
        let head = format!(
            "{:>2}. {:.3} · {}{when}",
            place + 1,
            hit.score,
            style.name(&key(hit.author_id, hit.post_id))
        );
        writeln!(out, "{head}").expect("writing to a string");
        if let Some(post) = &hit.post {
            out.push_str(&wrapped(&post.text, 4));
        }
    }
    if let Some(answer) = &reply.answer {
        out.push('\n');
        out.push_str(&answer::honesty(answer, style));
        out.push_str(&answer::timings(answer, style));
    }
    out
}

/// One looked-up post.
pub(crate) fn lookup(asked: &str, result: &GetPostResult, now_ms: u64, style: Style) -> String {
    let post = match (result.status(), &result.post) {
        (GetStatus::Found, Some(post)) => post,
        (GetStatus::NotFound, _) => return format!("{asked}: there is no such post\n"),
        _ => return format!("{asked}: {}\n", style.bad(&result.message)),
    };
    let mut out = format!(
        "{} · {}{}\n{}{}",
        style.name(&key(post.author_id, post.post_id)),
        age(post.created_at_ms, now_ms),
        if post.language.is_empty() {
            String::new()
        } else {
            format!(" · {}", post.language)
        },
        wrapped(&post.text, 4),
        media(&post.media),
    );
    let links = [
        ("answers", post.reply_to),
        ("reposts", post.repost_of),
        ("quotes", post.quote_of),
    ];
    for (what, other) in links.into_iter().filter_map(|(what, other)| Some((what, other?))) {
        writeln!(out, "    {what} {}", key(other.author_id, other.post_id)).expect("writing to a string");
    }
    let labels: Vec<String> = post.labels().map(|label| label.as_str_name().to_lowercase()).collect();
    if !labels.is_empty() {
        writeln!(out, "    {}", labels.join(", ")).expect("writing to a string");
    }
    let counters: Vec<String> = result
        .counters
        .iter()
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    if !counters.is_empty() {
        writeln!(out, "    {}", style.dim(&counters.join(" · "))).expect("writing to a string");
    }
    if !post.vector.is_empty() {
        let values: Vec<String> = post.vector.iter().map(|x| format!("{x:.4}")).collect();
        writeln!(out, "    vector {}", values.join(",")).expect("writing to a string");
    }
    out
}

/// `author/post`, the form that the command line takes.
pub(crate) fn key(author: u64, post: u64) -> String {
    format!("{author}/{post}")
}
