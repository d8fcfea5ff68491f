//! Tests of visibility filter.

use std::sync::Arc;

use covey_pipeline::{Filter, Verdict as Said};
use covey_shared::ids::UserId;
use covey_shared::model::labels::NSFW;
use covey_shared::wire::Verdict;

use super::Visibility;
use crate::feed::candidate::{Facts, FeedCandidate};
use crate::feed::fake_shards::verdict;
use crate::feed::testing::{VIEWER, key, post, query, repost, verdicts};
use crate::visibility::Ruling;

fn judged(in_network: Option<bool>) -> FeedCandidate {
    let mut post = post(2, 10);
    let own = Verdict {
        labels: NSFW,
        ..verdict(post.core.key)
    };
    post.facts = Some(Arc::new(Facts {
        own: Some(own),
        ..Facts::default()
    }));
    post.in_network = in_network;
    post
}

#[test]
fn in_network_posts_are_warned_about_where_others_are_dropped() {
    let mut posts = vec![judged(Some(true)), judged(Some(false)), judged(None)];
    let said = verdicts(&Visibility, &query(), &mut posts);
    assert_eq!(said, [Said::Keep, Said::Remove("nsfw"), Said::Remove("nsfw")]);
    assert_eq!(posts[0].ruling, Some(Ruling::Interstitial("nsfw")));
}

#[test]
fn no_verdict_is_no_permission() {
    assert_eq!(
        verdicts(&Visibility, &query(), &mut [post(2, 10)]),
        [Said::Unjudged("no_verdict")]
    );
    assert!(Visibility.required());
}

#[test]
fn what_has_become_a_post_for_subscribers_is_dropped_and_so_are_its_reposts() {
    let of = |author: u64, by: Option<u64>| {
        let mut shown = verdict(key(author, 10));
        shown.post.as_mut().expect("it exists").subscribers_only = true;
        let (post, facts) = match by {
            None => (post(author, 10), (shown, None)),
            Some(by) => (repost(by, 11, key(author, 10)), (verdict(key(by, 11)), Some(shown))),
        };
        let (own, source) = facts;
        let own = Some(own);
        let facts = Facts {
            own,
            source,
            ..Facts::default()
        };
        FeedCandidate {
            facts: Some(Arc::new(facts)),
            ..post
        }
    };
    let mut query = query();
    query.features.as_mut().expect("it is hydrated").subscriptions = vec![UserId(3)];
    let cases = [
        (of(2, None), false),
        (of(3, None), true),
        (of(VIEWER.0, None), true),
        // Whom the viewer subscribes to may repeat what is not for the viewer.
        (of(2, Some(3)), false),
        (of(3, Some(2)), true),
    ];
    for (post, shown) in cases {
        let (key, mut posts) = (post.core.key, [post]);
        let said = verdicts(&Visibility, &query, &mut posts);
        let wanted = if shown {
            Said::Keep
        } else {
            Said::Remove("not_subscribed")
        };
        assert_eq!(said, [wanted], "{key:?}");
        assert_eq!(
            posts[0].ruling == Some(Ruling::Drop("not_subscribed")),
            !shown,
            "{key:?}"
        );
    }
}
