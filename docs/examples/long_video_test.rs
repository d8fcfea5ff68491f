//! Tests of long videos.

use covey_pipeline::Verdict::{Keep, Remove, Unjudged};
use covey_shared::wire::Candidate;

use super::*;
use crate::feed::candidate::Repeated;
use crate::feed::testing::{core, key, post, query, repost, verdicts};

const MINUTE: LongVideo = LongVideo {
    longest: Some(Duration::from_secs(60)),
};

#[test]
fn the_limit_itself_is_short_enough_and_so_is_no_video() {
    let mut posts = [post(8, 1), post(8, 2), post(8, 3)];
    posts[1].core.video_ms = 60_000;
    posts[2].core.video_ms = 60_001;
    let said = verdicts(&MINUTE, &query(), &mut posts);
    assert_eq!(said, [Keep, Keep, Remove("long_video")]);
}

#[test]
fn a_repost_is_as_long_as_what_it_repeats() {
    let long = Candidate {
        video_ms: 60_001,
        ..core(8, 10)
    };
    let with = |id: u64, source: Option<Candidate>| FeedCandidate {
        source: source.map(Repeated::from).unwrap_or_default(),
        ..repost(3, id, key(8, 10))
    };
    let mut posts = [with(1, Some(long)), with(2, Some(core(8, 10))), with(3, None)];
    let said = verdicts(&MINUTE, &query(), &mut posts);
    assert_eq!(said, [Remove("long_video"), Keep, Unjudged("source_unknown")]);
}

#[test]
fn it_is_off_without_a_limit() {
    assert!(MINUTE.enable(&query()));
    assert!(!LongVideo { longest: None }.enable(&query()));
}
