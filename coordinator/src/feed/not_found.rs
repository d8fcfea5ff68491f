//! Why no channel found a post, in words.

use std::collections::BTreeMap;

use covey_pipeline::{Stage, Status};
use covey_shared::ids::{PostKey, UnixMillis};

use crate::feed::candidate::{Channel, FeedCandidate};
use crate::feed::probe::Probe;
use crate::feed::query::FeedQuery;
use crate::feed::reply::Page;
use crate::feed::service::FeedOutcome;

/// Why, as far as it can be told; each reason is a sentence.
pub(crate) fn why(page: &Page<'_>, found: &Found, key: PostKey) -> String {
    let outcome = page.outcome;
    if outcome.query.following.is_some() {
        return of_following(&outcome.query, key).to_owned();
    }
    let sentences = match page.probes.posts.get(&key) {
        None if page.probes.partial => {
            vec!["it could not be looked at: a shard did not answer, or not in time".to_owned()]
        }
        None => vec![
            "there is no such post: it was never written, is deleted or has expired, or another user wrote it"
                .to_owned(),
        ],
        Some(probe) => of_probe(page, found, probe),
    };
    sentences.join("; ")
}

fn of_following(query: &FeedQuery, key: PostKey) -> &'static str {
    match query.is_in_network(key.author) {
        Some(true) => {
            "it is not in this part of the list: it is older or newer, has no video if only those are wanted, or is deleted"
        }
        _ => "the author is not followed",
    }
}

/// What the channels of a run found: a post that they did not find is held against it.
pub(crate) struct Found {
    channels: BTreeMap<Channel, Taken>,
    /// First scores of all.
    scores: Vec<f64>,
}

#[derive(Default)]
struct Taken {
    posts: usize,
    oldest: Option<UnixMillis>,
    least: Option<f32>,
}

impl Found {
    /// Of all candidates of a run, each post once.
    pub(crate) fn of<'a>(posts: impl IntoIterator<Item = &'a FeedCandidate>) -> Found {
        let mut found = Found {
            channels: BTreeMap::new(),
            scores: Vec::new(),
        };
        for post in posts {
            found.scores.extend(post.l1);
            for hit in &post.channels {
                let taken = found.channels.entry(hit.channel).or_default();
                taken.posts += 1;
                let (oldest, least) = (taken.oldest, taken.least);
                taken.oldest = Some(oldest.map_or(post.core.created_at, |oldest| oldest.min(post.core.created_at)));
                taken.least = Some(least.map_or(hit.score, |least| least.min(hit.score)));
            }
        }
        found
    }

    /// Where its first score would have put it.
    fn rank(&self, post: &FeedCandidate) -> String {
        let own = post.l1.unwrap_or_default();
        let better = self.scores.iter().filter(|score| **score > own).count();
        let all = self.scores.len() + 1;
        format!(
            "found, its first score of {own:.3} would be number {} of {all}",
            better + 1
        )
    }
}

fn of_probe(page: &Page<'_>, found: &Found, probe: &Probe) -> Vec<String> {
    let (outcome, post) = (page.outcome, &probe.post);
    if let Some((rule, reason)) = probe.removed {
        return vec![format!(
            "{rule} leaves it out ({reason}), if not a channel has done so before"
        )];
    }
    let mut said = Vec::new();
    if outcome.query.resumed {
        said.push("this page comes from the ranked reserve of the one before it, and the post is not in it".to_owned());
    }
    if outcome.query.is_in_network(post.author_id()) == Some(true) {
        said.push(of_channel(outcome, found, post, Channel::InNetwork));
    } else {
        said.push("the author is not followed".to_owned());
    }
    if outcome.query.in_network_only {
        said.push("the request is for in-network posts only".to_owned());
    } else {
        let others = Channel::ALL
            .into_iter()
            .filter(|channel| *channel != Channel::InNetwork);
        said.extend(others.map(|channel| of_channel(outcome, found, post, channel)));
    }
    said.push(found.rank(post));
    said
}

/// What a channel took instead.
fn of_channel(outcome: &FeedOutcome, found: &Found, post: &FeedCandidate, channel: Channel) -> String {
    let name = channel.as_str();
    if let Some(state) = not_asked(outcome, channel) {
        return format!("{name} {state}");
    }
    let nothing = Taken::default();
    let taken = found.channels.get(&channel).unwrap_or(&nothing);
    let (count, created_at) = (taken.posts, post.core.created_at);
    let older = taken.oldest.filter(|oldest| created_at < *oldest);
    match (channel, older) {
        (Channel::InNetwork | Channel::New, Some(oldest)) => {
            let older = oldest.since(created_at) / 1000;
            format!("{name} took {count} posts, and this one is {older} s older than the last of them")
        }
        (Channel::InNetwork, None) => format!(
            "{name} left it out: its author has newer ones than a channel takes of one author, or the rules for replies and reposts did"
        ),
        (Channel::New, None) => format!("{name} takes posts of authors with few followers only"),
        (Channel::OutOfNetwork | Channel::SimilarToRecent, _) => similarity(taken, post, channel),
        (Channel::Popular, _) => format!("{name} took {count} posts with more engagement of late"),
        (Channel::Active, _) => format!("{name} took {count} posts that more was written about of late"),
    }
}

fn similarity(taken: &Taken, post: &FeedCandidate, channel: Channel) -> String {
    let (name, count) = (channel.as_str(), taken.posts);
    let own = post.channels.iter().find(|hit| hit.channel == channel);
    match (own.map(|hit| hit.score), taken.least) {
        (Some(own), Some(least)) if own < least => {
            format!("{name}: its similarity is {own:.3}, and the {count} posts that it took have at least {least:.3}")
        }
        (Some(own), Some(least)) => format!(
            "{name}: its similarity of {own:.3} is one that it took ({least:.3} at least, {count} posts), but nearer ones come first, \
             and an approximate search passes some over"
        ),
        (Some(own), None) => format!("{name} found nothing; its similarity is {own:.3}"),
        (None, _) => format!("{name}: the post has no vector to compare, or nothing that the viewer liked has"),
    }
}

/// Why a channel has not looked.
fn not_asked(outcome: &FeedOutcome, channel: Channel) -> Option<&'static str> {
    let mut reports = outcome.report.components.iter();
    let report = reports.find(|report| report.component == channel.as_str() && report.stage == Stage::Source);
    match report.map(|report| &report.status) {
        None => Some("did not look for this page"),
        Some(Status::Disabled) => Some("did not look: it is switched off, or the viewer has liked nothing"),
        Some(Status::TimedOut) => Some("ran out of time"),
        Some(Status::Skipped(_) | Status::Failed { .. }) => Some("failed"),
        Some(Status::Ok) => None,
    }
}
