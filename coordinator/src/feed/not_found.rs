//! Why no channel found a post, in words.

use std::collections::BTreeMap;

use covey_pipeline::{Stage, Status};
use covey_shared::ids::{PostId, PostKey};

use crate::feed::candidate::{Channel, FeedCandidate};
use crate::feed::probe::Probe;
use crate::feed::query::FeedQuery;
use crate::feed::reply::Page;
use crate::feed::service::FeedOutcome;

/// Why, as far as it can be told; each reason is a sentence.
pub(crate) fn why(page: &Page<'_>, key: PostKey) -> String {
    let outcome = page.outcome;
    if outcome.query.following.is_some() {
        return of_following(&outcome.query, key).to_owned();
    }
    let sentences = match page.probes.posts.get(&key) {
        None if page.probes.partial => {
            vec!["a shard that may have it did not answer, so nothing is known of it".to_owned()]
        }
        None => vec![
            "there is no such post: it was never written, is deleted or has expired, or another user wrote it"
                .to_owned(),
        ],
        Some(probe) => of_probe(page, probe),
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

fn of_probe(page: &Page<'_>, probe: &Probe) -> Vec<String> {
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
    said.push(in_network(outcome, post));
    let others = [
        Channel::OutOfNetwork,
        Channel::SimilarToRecent,
        Channel::Popular,
        Channel::New,
        Channel::Active,
    ];
    if outcome.query.in_network_only {
        said.push("the request is for in-network posts only".to_owned());
    } else {
        said.extend(others.into_iter().map(|channel| out_of_network(outcome, post, channel)));
    }
    said.push(rank(outcome, post));
    said
}

fn in_network(outcome: &FeedOutcome, post: &FeedCandidate) -> String {
    let (name, taken) = (Channel::InNetwork.as_str(), taken(outcome, Channel::InNetwork));
    if outcome.query.is_in_network(post.author_id()) != Some(true) {
        return "the author is not followed".to_owned();
    }
    if let Some(state) = not_asked(outcome, Channel::InNetwork) {
        return format!("{name} {state}");
    }
    let oldest = taken.iter().map(|taken| taken.core.created_at).min();
    match oldest.filter(|oldest| post.core.created_at < *oldest) {
        Some(oldest) => {
            let older = oldest.since(post.core.created_at) / 1000;
            format!(
                "{name} took {} posts, and this one is {older} s older than the last of them",
                taken.len()
            )
        }
        None => format!(
            "{name} left it out: its author has newer ones than a channel takes of one author, or the rules for replies and reposts did"
        ),
    }
}

fn out_of_network(outcome: &FeedOutcome, post: &FeedCandidate, channel: Channel) -> String {
    let (name, taken) = (channel.as_str(), taken(outcome, channel));
    if let Some(state) = not_asked(outcome, channel) {
        return format!("{name} {state}");
    }
    let count = taken.len();
    match channel {
        Channel::OutOfNetwork | Channel::SimilarToRecent => {
            let own = post
                .channels
                .iter()
                .find(|hit| hit.channel == channel)
                .map(|hit| hit.score);
            let hits = taken
                .iter()
                .flat_map(|post| &post.channels)
                .filter(|hit| hit.channel == channel);
            let least = hits.map(|hit| hit.score).reduce(f32::min);
            match (own, least) {
                (Some(own), Some(least)) if own < least => {
                    format!(
                        "{name}: its similarity is {own:.3}, and the {count} posts that it took have at least {least:.3}"
                    )
                }
                (Some(own), Some(least)) => format!(
                    "{name}: its similarity of {own:.3} is one that it took ({least:.3} at least, {count} posts), but nearer ones come first, \
                     and an approximate search passes some over"
                ),
                (Some(own), None) => format!("{name} found nothing; its similarity is {own:.3}"),
                (None, _) => format!("{name}: the post has no vector to compare, or nothing that the viewer liked has"),
            }
        }
        Channel::New => match taken.iter().map(|taken| taken.core.created_at).min() {
            Some(oldest) if post.core.created_at < oldest => {
                let older = oldest.since(post.core.created_at) / 1000;
                format!("{name} took {count} posts, and this one is {older} s older than the last of them")
            }
            _ => format!("{name} takes posts of authors with few followers only"),
        },
        Channel::Popular | Channel::InNetwork => format!("{name} took {count} posts with more engagement of late"),
        Channel::Active => format!("{name} took {count} posts that more was written about of late"),
    }
}

/// Every candidate of the run, of copies of a post one.
fn candidates(outcome: &FeedOutcome) -> impl Iterator<Item = &FeedCandidate> {
    let removed = outcome.removed.iter().map(|removed| &removed.candidate);
    let lists = outcome.selected.iter().chain(outcome.reserve.iter());
    let all: BTreeMap<PostId, &FeedCandidate> = removed.chain(lists).map(|post| (post.post(), post)).collect();
    all.into_values()
}

/// Those that the channel found.
fn taken(outcome: &FeedOutcome, channel: Channel) -> Vec<&FeedCandidate> {
    let by = |post: &&FeedCandidate| post.channels.iter().any(|hit| hit.channel == channel);
    candidates(outcome).filter(by).collect()
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

/// Where its first score would have put it.
fn rank(outcome: &FeedOutcome, post: &FeedCandidate) -> String {
    let own = post.l1.unwrap_or_default();
    let scores: Vec<f64> = candidates(outcome).filter_map(|post| post.l1).collect();
    let better = scores.iter().filter(|score| **score > own).count();
    format!(
        "found, its first score of {own:.3} would be number {} of {}",
        better + 1,
        scores.len() + 1
    )
}
