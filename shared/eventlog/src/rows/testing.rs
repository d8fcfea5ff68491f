//! Rows for tests.

use covey_shared::ids::{PostId, UnixMillis, UserId};
use covey_shared::model::ActionKind;
use serde_json::{Value, json};

use super::{ActionRow, ChannelHit, ServedRow, action_name};

/// A row in which every column depends on `i`; optional ones are there in some and not in others.
pub(crate) fn served(i: u64) -> ServedRow {
    let hit = |n: u64| ChannelHit {
        name: format!("Channel{n}"),
        rank: (i + n) as u32,
        score: i as f32 / 8.0,
    };
    let there = i.is_multiple_of(2);
    ServedRow {
        asked_at: UnixMillis(1_795_449_600_000 + i),
        // The upper half of the range is used: ids are unsigned.
        request: u64::MAX - i,
        prediction_request_id: (1 << 63) + i,
        scored_at: there.then_some(UnixMillis(i + 1)),
        viewer: UserId(i % 7),
        slot: i as u32 % 35 + 1,
        post: PostId(u64::MAX / 2 + i),
        author: UserId(3 * i),
        repeated_post: there.then_some(PostId(i)),
        repeated_author: there.then_some(UserId(i)),
        created_at: UnixMillis(1_795_000_000_000 + i),
        channels: (0..i % 4).map(hit).collect(),
        in_network: [None, Some(true), Some(false)][i as usize % 3],
        in_network_only: there,
        following: !there,
        engaged: u32::MAX - i as u32,
        unwanted: i as u32,
        views: 1000 + i as u32,
        affinity: 3 - i as i32,
        l1_score: there.then_some(i as f64 / 3.0),
        weighted_score: Some(i as f64 / 5.0),
        diversified_score: there.then_some(i as f64 / 7.0),
        score: there.then_some(-(i as f64)),
        model: there.then_some(i as u32 % 3),
        explored: !there,
        propensity: 1.0 / (i + 1) as f32,
        rule_placed: i % 5 == 1,
        config_version: i / 3,
    }
}

/// The same of actions.
pub(crate) fn action(i: u64) -> ActionRow {
    ActionRow {
        acted_at: UnixMillis(1_795_449_600_000 + i),
        recorded_at: UnixMillis(1_795_449_600_100 + i),
        viewer: UserId(i % 7),
        kind: [ActionKind::Favorite, ActionKind::Impression][i as usize % 2],
        post: PostId(i),
        author: UserId(2 * i),
        dwell_ms: i as u32,
        surface: i as u32 % 16,
        prediction_request_id: u64::MAX - i,
        client: 5,
        sequence: i,
        item: i as u32 % 3,
    }
}

/// What a reader sees of [`served`].
pub(crate) fn shown_served(i: u64) -> Value {
    let row = served(i);
    let channel = |hit: &ChannelHit| json!({ "name": hit.name, "rank": hit.rank, "score": hit.score });
    json!({
        "asked_at": row.asked_at.0,
        "request": row.request,
        "prediction_request_id": row.prediction_request_id,
        "scored_at": row.scored_at.map(|at| at.0),
        "viewer": row.viewer.0,
        "slot": row.slot,
        "post": row.post.0,
        "author": row.author.0,
        "repeated_post": row.repeated_post.map(|post| post.0),
        "repeated_author": row.repeated_author.map(|user| user.0),
        "created_at": row.created_at.0,
        "channels": row.channels.iter().map(channel).collect::<Vec<_>>(),
        "in_network": row.in_network,
        "in_network_only": row.in_network_only,
        "following": row.following,
        "engaged": row.engaged,
        "unwanted": row.unwanted,
        "views": row.views,
        "affinity": row.affinity,
        "l1_score": row.l1_score,
        "weighted_score": row.weighted_score,
        "diversified_score": row.diversified_score,
        "score": row.score,
        "model": row.model,
        "explored": row.explored,
        "propensity": row.propensity,
        "rule_placed": row.rule_placed,
        "config_version": row.config_version,
    })
}

/// The same of [`action`].
pub(crate) fn shown_action(i: u64) -> Value {
    let row = action(i);
    json!({
        "acted_at": row.acted_at.0,
        "recorded_at": row.recorded_at.0,
        "viewer": row.viewer.0,
        "kind": action_name(row.kind),
        "post": row.post.0,
        "author": row.author.0,
        "dwell_ms": row.dwell_ms,
        "surface": row.surface,
        "prediction_request_id": row.prediction_request_id,
        "client": row.client,
        "sequence": row.sequence,
        "item": row.item,
    })
}
