//! Tests of in network.

use std::sync::Arc;

use covey_config::Config;
use covey_shared::ids::{PostId, UserId};

use super::*;
use crate::feed::fake_shards::FakeShards;
use crate::feed::query::UserFeatures;
use crate::feed::testing::{core, query, run_context};

fn following(users: std::ops::RangeInclusive<u64>) -> FeedQuery {
    let features = UserFeatures {
        follows: users.map(UserId).collect(),
        ..UserFeatures::default()
    };
    FeedQuery {
        features: Some(features),
        ..query()
    }
}

fn find(query: &FeedQuery, config: InNetworkConfig) -> (Vec<FeedCandidate>, InNetworkAsk) {
    let in_network = (1..=50).map(|i| core(2, i)).collect();
    let shards = Arc::new(FakeShards {
        in_network,
        ..FakeShards::default()
    });
    let source = InNetwork {
        shards: shards.clone(),
        config,
    };
    let found = futures::executor::block_on(source.find(&run_context(), query)).expect("shards answer");
    let ask = shards.asked.lock().in_network.pop().expect("it asks once");
    (found, ask)
}

fn config() -> InNetworkConfig {
    Config::default().feed.in_network
}

#[test]
fn asks_for_the_followed_and_neither_blocked_nor_muted_authors() {
    let mut query = following(2..=6);
    if let Some(features) = &mut query.features {
        features.blocks = vec![UserId(3)];
        features.mutes = vec![UserId(4)];
    }
    query.seen_ids = vec![PostId(7)];
    query.known.cursor = [PostId(8)].into();
    let (found, ask) = find(&query, config());
    assert_eq!(ask.authors, [UserId(2), UserId(5), UserId(6)]);
    assert_eq!(ask.exclude, [PostId(8), PostId(7)]);
    assert_eq!(ask.max_results, 1200);
    assert_eq!(found[4].hit(Channel::InNetwork).map(|hit| hit.rank), Some(5));
}

#[test]
fn lists_beyond_the_limit_are_cut_and_said_to_be() {
    let mut query = following(2..=10_101);
    query.served_ids = (1..=10_050).map(PostId).collect();
    let (_, ask) = find(&query, config());
    assert_eq!((ask.authors.len(), ask.exclude.len()), (10_000, 10_000));
    let notes = query.ledger.account().notes;
    assert_eq!(
        notes.iter().map(|note| note.reason).collect::<Vec<_>>(),
        ["exclude_list_cut", "followed_list_cut"]
    );
}

#[test]
fn the_quota_holds_and_is_lower_for_videos() {
    let (found, _) = find(
        &following(2..=3),
        InNetworkConfig {
            max_posts: 10,
            ..config()
        },
    );
    assert_eq!(found.len(), 10);
    let videos = FeedQuery {
        video_only: true,
        ..following(2..=3)
    };
    let (_, ask) = find(&videos, config());
    assert_eq!((ask.max_results, ask.video_only), (600, true));
}

#[test]
fn it_is_off_without_anybody_followed_or_by_the_switch() {
    let source = |enabled| InNetwork {
        shards: Arc::new(FakeShards::default()),
        config: InNetworkConfig { enabled, ..config() },
    };
    assert!(!source(true).enable(&query()));
    assert!(source(true).enable(&following(2..=2)));
    assert!(!source(false).enable(&following(2..=2)));
}
