//! Why no channel found a post, in words.

use std::collections::BTreeMap;

use covey_env::span;
use covey_pipeline::{Stage, Status};
use covey_shared::ids::{PostKey, UnixMillis};
use covey_shared::wire::CandidateFlags;

use crate::feed::candidate::{Channel, FeedCandidate};
use crate::feed::probe::Probe;
use crate::feed::query::FeedQuery;
use crate::feed::reply::Page;
use crate::sources::lists::topics_in_turn;

/// Why, as far as it can be told; each reason is a sentence.
pub(crate) fn why(page: &Page<'_>, found: &Found, key: PostKey) -> String {
    let outcome = page.outcome;
    if outcome.query.following.is_some() {
        return of_following(&outcome.query, key).to_owned();
    }
    let sentences = match page.probes.posts.get(&key) {
        None if page.probes.partial => {
            vec!["it could not be looked at in time, or a shard that may have it did not answer".to_owned()]
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
    /// Oldest post of an author with few followers, and of another one.
    oldest: BTreeMap<bool, UnixMillis>,
    /// Lowest score of the channel.
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
                let created_at = post.core.created_at;
                let oldest = taken.oldest.entry(is_of_small_author(post)).or_insert(created_at);
                *oldest = created_at.min(*oldest);
                taken.least = Some(taken.least.map_or(hit.score, |least| least.min(hit.score)));
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

fn is_of_small_author(post: &FeedCandidate) -> bool {
    post.core.flags.has(CandidateFlags::SMALL_AUTHOR)
}

fn of_probe(page: &Page<'_>, found: &Found, probe: &Probe) -> Vec<String> {
    let (query, post) = (&page.outcome.query, &probe.post);
    if let Some((rule, reason)) = probe.removed {
        return vec![format!(
            "{rule} leaves it out ({reason}), if not a channel has done so before"
        )];
    }
    if let Some(condition) = unwanted(query, post) {
        return vec![condition.to_owned()];
    }
    let of_channel = |channel| {
        Look {
            page,
            found,
            post,
            channel,
        }
        .say()
    };
    let mut said = Vec::new();
    if query.resumed {
        said.push("this page comes from the ranked reserve of the one before it, and the post is not in it".to_owned());
    }
    said.push(match query.is_in_network(post.author_id()) {
        Some(true) => of_channel(Channel::InNetwork),
        Some(false) => "the author is not followed".to_owned(),
        None => "whom the viewer follows could not be read".to_owned(),
    });
    if query.in_network_only {
        said.push("the request is for in-network posts only".to_owned());
    } else {
        let others = Channel::ALL
            .into_iter()
            .filter(|channel| *channel != Channel::InNetwork);
        said.extend(others.map(of_channel));
    }
    said.push(found.rank(post));
    said
}

/// What is left out next to the data and by no rule behind it.
fn unwanted(query: &FeedQuery, post: &FeedCandidate) -> Option<&'static str> {
    let author = post.author_id();
    let paid = !query.in_network_only && query.may_read(author) == Some(true);
    // Their posts are read from timelines.
    let followed = paid || query.is_in_network(author) == Some(true);
    // A stranger's repost counts as what it is itself: what it repeats is not at hand where it is searched.
    let has_video = if followed {
        post.video_ms.is_some()
    } else {
        post.core.video_ms > 0
    };
    let is_reply = post.core.reply_to.post.0 != 0;
    if query.video_only && !has_video {
        Some("the request is for videos only, and it has none")
    } else if query.video_only && is_reply && followed {
        Some("the request is for videos only, and those in answers to other posts are not among them")
    } else if is_reply && !followed {
        Some(
            "it answers another post, and of users who are neither followed nor subscribed to only posts that answer none are looked for",
        )
    } else {
        None
    }
}

/// One channel, looked at for one post that it did not take.
struct Look<'a> {
    page: &'a Page<'a>,
    found: &'a Found,
    post: &'a FeedCandidate,
    channel: Channel,
}

impl Look<'_> {
    fn say(&self) -> String {
        let name = self.channel.as_str();
        match self.not_asked() {
            Some(state) => format!("{name} {state}"),
            None => self.taken(self.found.channels.get(&self.channel).unwrap_or(&Taken::default())),
        }
    }

    /// What the channel took instead.
    fn taken(&self, taken: &Taken) -> String {
        let (name, count) = (self.channel.as_str(), taken.posts);
        if self.page.account.lacks_answers(name) {
            return format!("{name} took {count} posts, but its answer is not whole");
        }
        let most = self.channel.quota(self.page.config, self.page.outcome.query.video_only);
        // The lists of its medoids overlap: fewer posts do not mean that none was left out.
        let took = if count < most && self.channel != Channel::SimilarToRecent {
            format!("{name} took {count} posts, fewer than the {most} that it may")
        } else {
            format!("{name} took {count} posts")
        };
        let why = match self.channel {
            Channel::InNetwork => self.by_time(taken.oldest.values().min()).unwrap_or_else(|| {
                "of its author it takes newer ones first, and the rules for replies and reposts hold".to_owned()
            }),
            Channel::New => self.of_new(taken),
            Channel::OutOfNetwork | Channel::SimilarToRecent => self.by_similarity(taken.least),
            Channel::Popular if count < most => "only posts with engagement are in its list".to_owned(),
            Channel::Popular => "those have more engagement of late".to_owned(),
            Channel::Subscribed => self.by_time(taken.oldest.values().min()).unwrap_or_else(|| {
                "the viewer does not subscribe to its author, or of that one newer ones come first".to_owned()
            }),
            Channel::Topics => self.of_topics().to_owned(),
            Channel::Local if count < most => {
                "only posts with engagement, of the viewer's country or language, are in its lists".to_owned()
            }
            Channel::Local => "those have more engagement of late in the viewer's country or language".to_owned(),
            Channel::Active if count < most => "only posts with answers or quotes are in its list".to_owned(),
            Channel::Active => "more was written about those of late".to_owned(),
        };
        format!("{took}: {why}")
    }

    fn by_time(&self, oldest: Option<&UnixMillis>) -> Option<String> {
        let created_at = self.post.core.created_at;
        let older = oldest.filter(|oldest| created_at < **oldest)?.since(created_at);
        Some(format!("this one is {} older than the last of them", span(older)))
    }

    fn of_topics(&self) -> &'static str {
        let query = &self.page.outcome.query;
        let followed = query.features.as_ref().map_or(&[][..], |features| &features.topics);
        let asked = topics_in_turn(query, self.page.config.topics.max_topics);
        let is_about = |topics: &[u32]| self.post.core.topics.iter().any(|topic| topics.contains(&topic));
        if is_about(&asked) {
            "about its topics others have more engagement, or are newer"
        } else if is_about(followed) {
            "it is about a followed topic that has its turn at another hour"
        } else {
            "it is about no topic that the viewer follows"
        }
    }

    /// Small authors come first, larger ones fill up.
    fn of_new(&self, taken: &Taken) -> String {
        let is_small = is_of_small_author(self.post);
        match taken.oldest.get(&is_small) {
            None if !is_small && taken.posts > 0 => {
                "those are of authors with few followers, who come first".to_owned()
            }
            oldest => self
                .by_time(oldest)
                .unwrap_or_else(|| "it reads only the newest there are".to_owned()),
        }
    }

    fn by_similarity(&self, least: Option<f32>) -> String {
        let mut liked = self
            .page
            .outcome
            .query
            .sequence
            .iter()
            .filter(|entry| entry.is_positive());
        if self.channel == Channel::SimilarToRecent && liked.any(|entry| entry.post == self.post.core.key) {
            return "the viewer liked this one, and it looks for others".to_owned();
        }
        let own = self.post.hit(self.channel).map(|hit| hit.score);
        match (own, least) {
            (Some(own), Some(least)) if own < least => {
                format!("its similarity is {own:.3}, theirs is at least {least:.3}")
            }
            (Some(own), Some(least)) => {
                format!(
                    "its similarity is {own:.3}, theirs is at least {least:.3}, but nearer ones come first, and an approximate search passes some over"
                )
            }
            (Some(own), None) => format!("its similarity is {own:.3}"),
            (None, _) => "no vectors are known to compare: of the post, or of what the viewer liked".to_owned(),
        }
    }

    /// Why the channel has not looked.
    fn not_asked(&self) -> Option<&'static str> {
        let mut reports = self.page.outcome.report.components.iter();
        let report = reports.find(|report| report.component == self.channel.as_str() && report.stage == Stage::Source);
        match report.map(|report| &report.status) {
            None | Some(Status::Skipped(_)) => Some("did not look for this page"),
            Some(Status::Disabled) => Some(match self.channel {
                Channel::OutOfNetwork | Channel::SimilarToRecent => {
                    "did not look: it is switched off, or the viewer has liked nothing"
                }
                Channel::Subscribed => {
                    "did not look: it is switched off, or the viewer subscribes to nobody without following them"
                }
                Channel::Topics => "did not look: it is switched off, or the viewer follows no topic",
                Channel::Local => {
                    "did not look: it is switched off, or neither country nor language of the viewer is known"
                }
                _ => "did not look: it is switched off",
            }),
            Some(Status::TimedOut) => Some("ran out of time"),
            Some(Status::Failed { .. }) => Some("failed"),
            Some(Status::Ok) => None,
        }
    }
}

#[cfg(test)]
#[path = "not_found_test.rs"]
mod tests;
