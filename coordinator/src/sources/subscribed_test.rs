//! Tests of subscribed.

use covey_config::Config;

use super::*;
use crate::feed::fake_shards::FakeShards;
use crate::feed::query::UserFeatures;
use crate::feed::testing::{core, query, run_context};

/// Subscribes to 2 to 6, follows 3 and 9, blocks 4, mutes 5.
fn viewer() -> FeedQuery {
    let features = UserFeatures {
        follows: vec![UserId(3), UserId(9)],
        blocks: vec![UserId(4)],
        mutes: vec![UserId(5)],
        subscriptions: (2..=6).map(UserId).collect(),
        ..UserFeatures::default()
    };
    FeedQuery {
        features: Some(features),
        ..query()
    }
}

fn source(config: SubscribedConfig) -> (Subscribed, Arc<FakeShards>) {
    let in_network = (1..=50).map(|i| core(2, i)).collect();
    let shards = Arc::new(FakeShards {
        in_network,
        ..FakeShards::default()
    });
    let source = Subscribed {
        shards: shards.clone(),
        config,
    };
    (source, shards)
}

fn config() -> SubscribedConfig {
    Config::default().feed.subscribed
}

#[test]
fn asks_for_those_who_are_not_followed_and_neither_blocked_nor_muted() {
    let (source, shards) = source(SubscribedConfig {
        max_posts: 10,
        ..config()
    });
    let query = viewer();
    let found = futures::executor::block_on(source.find(&run_context(), &query)).expect("shards answer");
    let ask = shards.asked.lock().in_network.pop().expect("it asks once");
    assert_eq!(ask.authors, [UserId(2), UserId(6)]);
    assert_eq!(ask.followed, [UserId(3), UserId(9)], "for the rule about replies");
    assert_eq!((found.len(), ask.max_results), (10, 10));
    assert_eq!(found[4].hit(Channel::Subscribed).map(|hit| hit.rank), Some(5));
}

#[test]
fn it_is_off_without_a_subscription_that_is_not_followed_and_by_the_switch() {
    let (on, _) = source(config());
    assert!(on.enable(&viewer()));
    let (off, _) = source(SubscribedConfig {
        enabled: false,
        ..config()
    });
    assert!(!off.enable(&viewer()));
    assert!(!on.enable(&FeedQuery {
        in_network_only: true,
        ..viewer()
    }));
    let mut followed = viewer();
    followed.features.as_mut().expect("it has").follows = (2..=6).map(UserId).collect();
    assert!(!on.enable(&followed));
    assert!(!on.enable(&query()));
}
