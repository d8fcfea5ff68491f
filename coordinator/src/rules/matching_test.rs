//! Tests of matching.

use covey_config::LabelName;
use covey_shared::ids::{PostId, UserId};
use covey_shared::model::{Language, Topics, labels};

use super::*;
use crate::feed::testing::{core, key, post, repost};

type Change = fn(&mut RuleMatch);

/// A condition, a post that fulfils it, and the plain post 1 of 2, which does not.
#[track_caller]
fn only(condition: Change, fulfils: fn(&mut FeedCandidate)) {
    let mut wanted = RuleMatch::default();
    condition(&mut wanted);
    let mut changed = post(2, 1);
    fulfils(&mut changed);
    assert!(is_match(&wanted, &changed), "{wanted:?}");
    assert!(!is_match(&wanted, &post(2, 1)), "{wanted:?}");
}

#[test]
fn each_condition_asks_for_one_thing() {
    only(|w| w.post = Some(PostId(7)), |p| p.core.key.post = PostId(7));
    only(|w| w.author = Some(UserId(7)), |p| p.core.key.author = UserId(7));
    only(
        |w| w.channel = Some(ChannelName::New),
        |p| p.channels[0].channel = Channel::New,
    );
    only(
        |w| w.language = Language::parse("de"),
        |p| p.core.language = Language(*b"de"),
    );
    only(|w| w.topic = Some(5), |p| p.core.topics = Topics([3, 5, 0, 0]));
    only(
        |w| w.label = Some(LabelName::Nsfw),
        |p| p.core.labels = labels::NSFW | labels::SPAM,
    );
    only(|w| w.in_network = Some(true), |p| p.in_network = Some(true));
    only(|w| w.in_network = Some(false), |p| p.in_network = Some(false));
    only(|w| w.video = Some(true), |p| p.core.video_ms = 1);
}

#[test]
fn no_condition_matches_all_and_several_must_all_hold() {
    assert!(is_match(&RuleMatch::default(), &post(2, 1)));
    let both = RuleMatch {
        author: Some(UserId(2)),
        video: Some(false),
        ..RuleMatch::default()
    };
    let mut with_video = post(2, 1);
    with_video.core.video_ms = 1;
    assert!(is_match(&both, &post(2, 1)) && !is_match(&both, &with_video) && !is_match(&both, &post(3, 1)));
}

#[test]
fn a_repost_is_its_original_by_both_authors() {
    let mut twice = repost(2, 20, key(9, 10));
    let mut original = core(9, 10);
    original.topics = Topics([5, 0, 0, 0]);
    twice.source = original.into();
    let about = |change: Change| {
        let mut wanted = RuleMatch::default();
        change(&mut wanted);
        is_match(&wanted, &twice)
    };
    assert!(about(|w| w.topic = Some(5)));
    assert!(about(|w| w.post = Some(PostId(10))) && about(|w| w.post = Some(PostId(20))));
    assert!(about(|w| w.author = Some(UserId(2))) && about(|w| w.author = Some(UserId(9))));
    assert!(!about(|w| w.author = Some(UserId(3))));
}
