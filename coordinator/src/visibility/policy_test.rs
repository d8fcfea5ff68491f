//! Tests of policy.

use covey_shared::model::labels::{GRAPHIC, NSFW, SPAM, TAKEDOWN};

use super::Level::{TimelineHome as Home, TimelineHomeRecommendations as Recommendations};
use super::*;
use crate::feed::testing::key;

fn verdict(labels: u32) -> Verdict {
    Verdict {
        key: key(2, 10),
        exists: true,
        labels,
        author_blocks_viewer: false,
        post: None,
        screen_name: String::new(),
    }
}

fn facts(labels: u32) -> Facts {
    Facts {
        own: Some(verdict(labels)),
        ..Facts::default()
    }
}

#[test]
fn the_table() {
    let table = [
        (0, Ruling::Allow, Ruling::Allow),
        (TAKEDOWN, Drop("takedown"), Drop("takedown")),
        (SPAM, Interstitial("spam"), Drop("spam")),
        (NSFW, Interstitial("nsfw"), Drop("nsfw")),
        (GRAPHIC, Interstitial("graphic"), Interstitial("graphic")),
        (NSFW | GRAPHIC, Interstitial("nsfw"), Drop("nsfw")),
        (GRAPHIC | TAKEDOWN, Drop("takedown"), Drop("takedown")),
        (1 << 30, Drop("unknown_label"), Drop("unknown_label")),
        (GRAPHIC | 1 << 30, Drop("unknown_label"), Drop("unknown_label")),
    ];
    for (labels, home, recommendations) in table {
        assert_eq!(judge_labels(labels, Home), home, "labels {labels:b} at home");
        assert_eq!(
            judge_labels(labels, Recommendations),
            recommendations,
            "labels {labels:b} recommended"
        );
    }
}

#[test]
fn no_labels_is_a_verdict_and_no_verdict_is_none() {
    assert_eq!(judge(&facts(0), Home), Some(Ruling::Allow));
    assert_eq!(judge(&Facts::default(), Home), None);
}

#[test]
fn what_is_gone_or_blocks_the_viewer_is_dropped() {
    let gone = Verdict {
        exists: false,
        ..verdict(0)
    };
    let blocks = Verdict {
        author_blocks_viewer: true,
        ..verdict(0)
    };
    let own = |own: &Verdict| Facts {
        own: Some(own.clone()),
        ..Facts::default()
    };
    let source = |source: &Verdict| Facts {
        source: Some(source.clone()),
        ..facts(0)
    };
    let quoted = |quoted: &Verdict| Facts {
        quoted: Some(quoted.clone()),
        ..facts(0)
    };
    assert_eq!(judge(&own(&gone), Home), Some(Drop("gone")));
    assert_eq!(judge(&source(&gone), Home), Some(Drop("source_gone")));
    assert_eq!(judge(&quoted(&gone), Home), Some(Ruling::Allow));
    for facts in [own(&blocks), source(&blocks), quoted(&blocks)] {
        assert_eq!(judge(&facts, Home), Some(Drop("author_blocks_viewer")));
    }
}

#[test]
fn a_repost_is_judged_as_what_it_shows() {
    let repost = Facts {
        source: Some(verdict(NSFW)),
        ..facts(0)
    };
    assert_eq!(judge(&repost, Home), Some(Interstitial("nsfw")));
    assert_eq!(judge(&repost, Recommendations), Some(Drop("nsfw")));
}

#[test]
fn a_dropped_quote_or_ancestor_drops_the_post_and_a_warned_one_does_not() {
    let quotes = |labels| Facts {
        quoted: Some(verdict(labels)),
        ..facts(0)
    };
    let answers = |labels| Facts {
        ancestors: vec![verdict(0), verdict(labels)],
        ..facts(0)
    };
    assert_eq!(judge(&quotes(TAKEDOWN), Home), Some(Drop("quoted_dropped")));
    assert_eq!(judge(&answers(TAKEDOWN), Home), Some(Drop("ancestor_dropped")));
    assert_eq!(judge(&answers(NSFW), Recommendations), Some(Drop("ancestor_dropped")));
    assert_eq!(judge(&quotes(GRAPHIC), Home), Some(Ruling::Allow));
    assert_eq!(judge(&answers(NSFW), Home), Some(Ruling::Allow));
}
