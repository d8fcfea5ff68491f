//! What a feed can be made of beside what is popular and new.

use covey_shared::ids::UserId;
use covey_shared::model::ActionKind;
use covey_shared::wire::ViewerState;

use super::tests::{feed, request, service};
use super::*;
use crate::feed::fake_shards::FakeShards;
use crate::feed::testing::{MINUTE, action, ago, key};

fn has_history(state: ViewerState, kind: FeedKind) -> bool {
    let (service, _) = service(FakeShards {
        state,
        ..FakeShards::default()
    });
    let request = FeedRequest { kind, ..request() };
    !feed(&service, request).expect("a feed").no_history
}

fn acted(kind: ActionKind) -> ViewerState {
    ViewerState {
        actions: vec![action(kind, key(2, 10), ago(MINUTE))],
        ..ViewerState::default()
    }
}

#[test]
fn follows_topics_subscriptions_and_actions_are_history_each_alone() {
    let follows = ViewerState {
        follows: vec![UserId(2)],
        ..ViewerState::default()
    };
    let topics = ViewerState {
        topics: vec![7],
        ..ViewerState::default()
    };
    let subscriptions = ViewerState {
        subscriptions: vec![UserId(2)],
        ..ViewerState::default()
    };
    for state in [follows, topics, subscriptions] {
        for kind in [FeedKind::ForYou, FeedKind::Following] {
            assert!(has_history(state.clone(), kind), "{kind:?} {state:?}");
        }
    }
    assert!(has_history(acted(ActionKind::Dwell), FeedKind::ForYou));
}

#[test]
fn to_see_posts_and_to_block_or_mute_users_is_no_history() {
    let hidden = ViewerState {
        known: true,
        blocks: vec![UserId(2)],
        mutes: vec![UserId(3)],
        ..ViewerState::default()
    };
    for state in [ViewerState::default(), hidden, acted(ActionKind::Impression)] {
        assert!(!has_history(state.clone(), FeedKind::ForYou), "{state:?}");
    }
    assert!(
        !has_history(acted(ActionKind::Dwell), FeedKind::Following),
        "it asks for no actions"
    );
}
