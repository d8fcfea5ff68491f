//! Rows for tests.

use covey_shared::ids::{PostId, UnixMillis, UserId};

use super::{ActionRow, ChannelHit, ServedRow};

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
    }
}

/// The same of actions.
pub(crate) fn action(i: u64) -> ActionRow {
    ActionRow {
        acted_at: UnixMillis(1_795_449_600_000 + i),
        recorded_at: UnixMillis(1_795_449_600_100 + i),
        viewer: UserId(i % 7),
        kind: ["favorite", "impression"][i as usize % 2].to_owned(),
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
