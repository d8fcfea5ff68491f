//! Tests of subscriptions.

use covey_pipeline::Verdict::{Keep, Remove, Unjudged};
use covey_shared::ids::UserId;

use super::*;
use crate::feed::candidate::Repeated;
use crate::feed::query::UserFeatures;
use crate::feed::testing::{VIEWER, core, key, post, query, repost, verdicts};

/// Subscribes to user 8.
fn subscriber() -> FeedQuery {
    let features = UserFeatures {
        subscriptions: vec![UserId(8)],
        follows: vec![UserId(9)],
        ..UserFeatures::default()
    };
    FeedQuery {
        features: Some(features),
        ..query()
    }
}

fn marked(author: u64, id: u64) -> Candidate {
    let mut core = core(author, id);
    core.flags.0 |= CandidateFlags::SUBSCRIBERS_ONLY;
    core
}

fn for_subscribers(author: u64, id: u64) -> FeedCandidate {
    FeedCandidate {
        core: marked(author, id),
        ..post(author, id)
    }
}

#[test]
fn only_subscribers_and_the_author_see_it_and_to_follow_is_not_to_subscribe() {
    let mut posts = [
        for_subscribers(8, 1),
        for_subscribers(9, 2),
        for_subscribers(VIEWER.0, 3),
        post(9, 4),
    ];
    let said = verdicts(&IneligibleSubscription, &subscriber(), &mut posts);
    assert_eq!(said, [Keep, Remove("not_subscribed"), Keep, Keep]);
}

#[test]
fn a_repost_is_for_those_for_whom_its_source_is() {
    let with = |id: u64, source: Option<Candidate>| {
        let of = source.map_or(key(8, 10), |source| source.key);
        FeedCandidate {
            source: source.map(Repeated::from).unwrap_or_default(),
            ..repost(3, id, of)
        }
    };
    let mut posts = [
        with(1, Some(marked(8, 10))),
        with(2, Some(marked(9, 11))),
        with(3, Some(core(9, 12))),
        with(4, Some(marked(VIEWER.0, 13))),
        with(5, None),
    ];
    let said = verdicts(&IneligibleSubscription, &subscriber(), &mut posts);
    let unread = Unjudged("source_unknown");
    assert_eq!(said, [Keep, Remove("not_subscribed"), Keep, Keep, unread]);
}

#[test]
fn without_the_lists_no_post_for_subscribers_is_judged_and_the_filter_is_required() {
    let unknown = FeedQuery {
        features: None,
        ..query()
    };
    let mut posts = [for_subscribers(8, 1), post(8, 2), for_subscribers(VIEWER.0, 3)];
    let said = verdicts(&IneligibleSubscription, &unknown, &mut posts);
    assert_eq!(said, [Unjudged("lists_unknown"), Keep, Keep]);
    assert!(IneligibleSubscription.required());
}
