//! Tests of labels.

use covey_shared::model::labels::{GRAPHIC, NSFW, SPAM, TAKEDOWN};

use super::Labels;
use crate::feed::candidate::FeedCandidate;
use crate::feed::testing::{keep_or, key, post, query, repost, verdicts};

fn labelled(labels: u32, in_network: Option<bool>) -> FeedCandidate {
    let mut post = post(2, 10);
    post.core.labels = labels;
    post.in_network = in_network;
    post
}

#[test]
fn what_the_policy_drops_goes_and_what_it_warns_of_stays() {
    let followed = Some(true);
    let mut posts = [
        labelled(TAKEDOWN, followed),
        labelled(NSFW | SPAM, followed),
        labelled(NSFW, Some(false)),
        labelled(SPAM, None),
        labelled(GRAPHIC, Some(false)),
        labelled(0, None),
        labelled(1 << 30, followed),
    ];
    let said = keep_or(&["takedown", "", "nsfw", "spam", "", "", "unknown_label"]);
    assert_eq!(verdicts(&Labels, &query(), &mut posts), said);
}

#[test]
fn a_repost_is_judged_by_what_it_repeats_at_the_level_of_who_repeats_it() {
    let of = |labels: u32, followed: bool| FeedCandidate {
        source: labelled(labels, None).core.into(),
        in_network: Some(followed),
        ..repost(3, 11, key(2, 10))
    };
    let mut posts = [of(TAKEDOWN, true), of(NSFW, true), of(NSFW, false), of(0, false)];
    let said = keep_or(&["takedown", "", "nsfw", ""]);
    assert_eq!(verdicts(&Labels, &query(), &mut posts), said);
}
