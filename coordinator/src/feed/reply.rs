//! The reply: posts as clients see them, and the honest answer.

use std::collections::BTreeMap;
use std::time::Duration;

use covey_api::v1;
use covey_config::{FeedConfig, RuleConfig};
use covey_pipeline::Report;
use covey_shared::ids::LogIndex;
use covey_shared::model::{ActionKind, Media, MediaKind};
use covey_shared::wire::Verdict;

use crate::feed::candidate::{Channel, FeedCandidate};
use crate::feed::explain;
use crate::feed::ledger::Account;
use crate::feed::probe::Probes;
use crate::feed::request::FeedRequest;
use crate::feed::service::FeedOutcome;
use crate::ranking::predictions::heads;
use crate::ranking::ranker::Ranker;
use crate::seal::Sealer;
use crate::visibility::Ruling;

const MODEL: &str = "ModelScorer";
const WEIGHTED: &str = "WeightedScorer";
/// Stands in `degraded` as long as no ranking model is loaded.
const NO_MODEL: (&str, &str) = (MODEL, "no ranking model: ordered by L1");

/// Everything that a reply is made of.
pub(crate) struct Page<'a> {
    pub(crate) request: &'a FeedRequest,
    pub(crate) outcome: &'a FeedOutcome,
    pub(crate) account: Account,
    /// For the next page, sealed; empty = there is none.
    pub(crate) cursor: String,
    /// The model in service.
    pub(crate) ranker: Option<&'a dyn Ranker>,
    /// In service.
    pub(crate) config: &'a FeedConfig,
    /// Those that apply to this feed.
    pub(crate) rules: &'a [RuleConfig],
    /// What is explained and was not found.
    pub(crate) probes: &'a Probes,
    pub(crate) sealer: &'a Sealer,
    pub(crate) map_version: u64,
    /// Of the settings.
    pub(crate) config_version: LogIndex,
}

/// The whole reply; the trace id is the caller's.
pub(crate) fn reply(page: &Page<'_>) -> v1::GetFeedReply {
    let mut token = page.request.token.clone();
    token.merge(&page.account.report.token);
    let explained = page.request.explain;
    v1::GetFeedReply {
        posts: page.outcome.selected.iter().map(post_message).collect(),
        cursor: page.cursor.clone(),
        session_token: page.sealer.seal_token(&token),
        no_history: page.outcome.query.no_history(),
        answer: Some(answer(page)),
        explanations: if explained {
            explain::explanations(page)
        } else {
            Vec::new()
        },
        stages: if explained { explain::stages(page) } else { Vec::new() },
    }
}

/// How complete the reply is: what the shards said about every read, and what the pipeline did without.
fn answer(page: &Page<'_>) -> v1::Answer {
    let report = &page.account.report;
    v1::Answer {
        coverage: report.coverage(),
        missing_shards: report.missing_shards.iter().map(|shard| shard.0).collect(),
        degraded: degraded(page),
        staleness_ms: report.staleness_ms,
        map_version: page.map_version,
        config_version: page.config_version.0,
        model_version: page.ranker.map_or(0, |ranker| ranker.version()),
        experiment_arms: Default::default(),
        timings_ms: timings(&page.outcome.report),
        trace_id: String::new(),
    }
}

fn degraded(page: &Page<'_>) -> Vec<v1::Degraded> {
    let (report, account) = (&page.outcome.report, &page.account);
    let failed = report.degraded.iter().map(|entry| (entry.component, entry.reason));
    let noted = account.notes.iter().map(|note| (note.component, note.reason));
    let mut all: Vec<(&str, &str)> = Vec::new();
    for entry in failed.chain(noted).chain(unranked(page)) {
        if !all.contains(&entry) {
            all.push(entry);
        }
    }
    let message = |component: String, reason: String| v1::Degraded { component, reason };
    let named = all
        .into_iter()
        .map(|(who, why)| message(who.to_owned(), why.to_owned()));
    let flaws = account.report.flaws();
    let flaws = flaws.map(|(component, reason)| message(component, reason.to_owned()));
    let ignored = page.ranker.and_then(ignored_heads);
    let ignored = ignored.map(|heads| message(WEIGHTED.to_owned(), heads));
    named.chain(flaws).chain(ignored).collect()
}

/// There is no model, or a page from the reserve shows what it had no answer for on an earlier one: the report of this run does not know.
fn unranked(page: &Page<'_>) -> Option<(&'static str, &'static str)> {
    if page.outcome.query.following.is_some() {
        return None;
    }
    if page.ranker.is_none() {
        return Some(NO_MODEL);
    }
    let mut posts = page.outcome.selected.iter();
    let some = page.outcome.query.resumed && posts.any(|post| post.predictions.is_none());
    some.then_some((MODEL, "partial"))
}

fn ignored_heads(ranker: &dyn Ranker) -> Option<String> {
    let ignored = heads().filter(|head| !ranker.is_calibrated(*head));
    let name = |head| {
        action_kind(head)
            .as_str_name()
            .trim_start_matches("ACTION_KIND_")
            .to_lowercase()
    };
    let names: Vec<String> = ignored.map(name).collect();
    (!names.is_empty()).then(|| format!("not calibrated, weighs 0: {}", names.join(", ")))
}

/// Time per stage, rounds of backfill included, and of the whole run.
fn timings(report: &Report) -> BTreeMap<String, f64> {
    let ms = |took: Duration| took.as_secs_f64() * 1000.0;
    let mut times = BTreeMap::from([("total".to_owned(), ms(report.took))]);
    for entry in &report.stages {
        *times.entry(entry.stage.to_string()).or_insert(0.0) += ms(entry.took);
    }
    times
}

fn post_message(post: &FeedCandidate) -> v1::FeedPost {
    let core = &post.core;
    let facts = post.facts.as_deref();
    let shown = facts.and_then(|facts| facts.shown());
    // Of a repost that which the repeated post quotes, as it was judged.
    let quoted = facts.and_then(|facts| facts.quoted.as_ref());
    let quoted = quoted.map(|verdict| verdict.key).unwrap_or_default();
    let (visibility, reason) = visibility(post.ruling);
    let above = facts.iter().flat_map(|facts| &facts.ancestors);
    v1::FeedPost {
        post_id: core.key.post.0,
        author_id: core.key.author.0,
        retweeted_post_id: core.repost_of.post.0,
        retweeted_user_id: core.repost_of.author.0,
        in_reply_to_post_id: core.reply_to.post.0,
        text: shown.map(|post| post.text.clone()).unwrap_or_default(),
        media: shown.iter().flat_map(|post| &post.media).map(media).collect(),
        // None in the Following feed.
        score: post.scored.map_or(0.0, |_| post.score.value()),
        in_network: post.in_network == Some(true),
        served_type: post.channels.iter().map(|hit| channel(hit.channel) as i32).collect(),
        last_scored_at_ms: post.scored.map_or(0, |scored| scored.at.0),
        prediction_request_id: post.scored.map_or(0, |scored| scored.request.0),
        ancestors: above.filter(|verdict| verdict.exists).map(key).collect(),
        screen_names: screen_names(post),
        visibility: visibility as i32,
        visibility_reason: reason.to_owned(),
        created_at_ms: core.created_at.0,
        quoted_post_id: quoted.post.0,
        quoted_user_id: quoted.author.0,
        language: shown.map_or(core.language, |post| post.language).as_str().to_owned(),
    }
}

fn key(verdict: &Verdict) -> v1::PostKey {
    v1::PostKey {
        author_id: verdict.key.author.0,
        post_id: verdict.key.post.0,
    }
}

/// Handles of all users that the post names, where they are known.
fn screen_names(post: &FeedCandidate) -> BTreeMap<u64, String> {
    let facts = post.facts.iter().flat_map(|facts| {
        let named = facts.own.iter().chain(&facts.source).chain(&facts.quoted);
        named
            .chain(&facts.ancestors)
            .map(|verdict| (verdict.key.author.0, &verdict.screen_name))
    });
    let author = post.author.iter().map(|author| (author.user.0, &author.screen_name));
    facts
        .chain(author)
        .filter(|(_, name)| !name.is_empty())
        .map(|(user, name)| (user, name.clone()))
        .collect()
}

pub(crate) fn channel(channel: Channel) -> v1::Channel {
    match channel {
        Channel::InNetwork => v1::Channel::InNetwork,
        Channel::OutOfNetwork => v1::Channel::OutOfNetwork,
        Channel::SimilarToRecent => v1::Channel::SimilarToRecent,
        Channel::Popular => v1::Channel::Popular,
        Channel::New => v1::Channel::New,
        Channel::Active => v1::Channel::Active,
        Channel::Subscribed => v1::Channel::Subscribed,
        Channel::Topics => v1::Channel::Topics,
        Channel::Local => v1::Channel::Local,
    }
}

/// The API numbers the kinds from 1, in our order.
pub(crate) fn action_kind(head: ActionKind) -> v1::ActionKind {
    v1::ActionKind::try_from(head.index() as i32 + 1).unwrap_or_default()
}

pub(crate) fn visibility(ruling: Option<Ruling>) -> (v1::Visibility, &'static str) {
    match ruling {
        None => (v1::Visibility::Unspecified, ""),
        Some(Ruling::Allow) => (v1::Visibility::Allow, ""),
        Some(Ruling::Interstitial(reason)) => (v1::Visibility::Interstitial, reason),
        Some(Ruling::Drop(reason)) => (v1::Visibility::Drop, reason),
    }
}

fn media(media: &Media) -> v1::Media {
    let kind = match media.kind {
        MediaKind::Photo => v1::MediaKind::Photo,
        MediaKind::Video => v1::MediaKind::Video,
    };
    v1::Media {
        kind: kind as i32,
        url: media.url.clone(),
        duration_ms: media.duration_ms,
    }
}
