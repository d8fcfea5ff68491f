//! Side effect: what was served goes into the event log, with all that was known when it was ranked.

use std::sync::Arc;

use covey_eventlog::{ChannelHit, ServedRow};
use covey_pipeline::{Reply, RequestId, RunContext, Score, SideEffect, SideEffectInput};
use covey_shared::ids::{PostId, UserId};
use futures::future;

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;
use crate::feed::shards::Shards;

/// Makes the rows and hands them over; the log itself never waits.
pub(crate) struct EventLog {
    pub(crate) shards: Arc<dyn Shards>,
    /// There is a log: else no rows are made.
    pub(crate) enabled: bool,
}

impl SideEffect<FeedQuery, FeedCandidate> for EventLog {
    fn enable(&self, query: &FeedQuery) -> bool {
        self.enabled && query.record
    }

    fn run<'a>(&'a self, run: &'a RunContext, input: &'a SideEffectInput<FeedQuery, FeedCandidate>) -> Reply<'a, ()> {
        let posts = input.selected.iter().zip(1..);
        let rows = posts.map(|(post, slot)| row(&input.query, run.request_id(), post, slot));
        self.shards.log_served(rows.collect());
        Box::pin(future::ready(Ok(())))
    }
}

fn row(query: &FeedQuery, request: RequestId, post: &FeedCandidate, slot: u32) -> ServedRow {
    let repeated = post.core.repost_of;
    let engagement = post.ranked_as().engagement;
    ServedRow {
        asked_at: query.now,
        request: request.0,
        prediction_request_id: post.scored.map_or(0, |scored| scored.request.0),
        scored_at: post.scored.map(|scored| scored.at),
        viewer: query.viewer,
        slot,
        post: post.post(),
        author: post.author_id(),
        repeated_post: Some(repeated.post).filter(|post| *post != PostId(0)),
        repeated_author: Some(repeated.author).filter(|author| *author != UserId(0)),
        created_at: post.core.created_at,
        channels: post.channels.iter().map(hit).collect(),
        in_network: post.in_network,
        in_network_only: query.in_network_only,
        following: query.following.is_some(),
        engaged: engagement.engaged,
        unwanted: engagement.unwanted,
        views: engagement.views,
        affinity: affinity(query, post),
        l1_score: post.l1,
        weighted_score: known(post.weighted),
        diversified_score: known(post.diversified),
        score: known(post.score),
        model: post.scored.and_then(|scored| scored.model),
        // Every place is that of a rank or of a rule: none is drawn.
        explored: false,
        propensity: 1.0,
        rule_placed: post.rules.is_placed(),
        config_version: query.config.0,
    }
}

fn hit(hit: &crate::feed::candidate::ChannelHit) -> ChannelHit {
    ChannelHit {
        name: hit.channel.as_str().to_owned(),
        rank: hit.rank,
        score: hit.score,
    }
}

/// As the first score sees it: of the author, or of the author of what is repeated.
fn affinity(query: &FeedQuery, post: &FeedCandidate) -> i32 {
    let authors = [post.author_id(), post.core.repost_of.author];
    let known = authors.iter().filter_map(|author| query.affinity.get(author));
    known.max().copied().unwrap_or(0)
}

/// What was never scored has no score.
fn known(score: Score) -> Option<f64> {
    (score != Score::UNSCORED).then(|| score.value())
}

#[cfg(test)]
#[path = "event_log_test.rs"]
mod tests;
