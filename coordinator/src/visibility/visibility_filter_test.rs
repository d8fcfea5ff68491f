//! Tests of visibility filter.

use std::sync::Arc;

use covey_pipeline::{Filter, Verdict as Said};
use covey_shared::ids::UserId;
use covey_shared::model::labels::NSFW;
use covey_shared::wire::Verdict;

use super::Visibility;
use crate::feed::candidate::{Facts, FeedCandidate};
use crate::feed::fake_shards::verdict;
use crate::feed::testing::{VIEWER, post, query, verdicts};
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
fn what_has_become_a_post_for_subscribers_is_dropped() {
    let of = |author: u64| {
        let mut post = post(author, 10);
        let mut own = verdict(post.core.key);
        own.post.as_mut().expect("it exists").subscribers_only = true;
        post.facts = Some(Arc::new(Facts {
            own: Some(own),
            ..Facts::default()
        }));
        post
    };
    let mut query = query();
    query.features.as_mut().expect("it is hydrated").subscriptions = vec![UserId(3)];
    let mut posts = vec![of(2), of(3), of(VIEWER.0)];
    let said = verdicts(&Visibility, &query, &mut posts);
    assert_eq!(said, [Said::Remove("not_subscribed"), Said::Keep, Said::Keep]);
    assert_eq!(posts[0].ruling, Some(Ruling::Drop("not_subscribed")));
}
