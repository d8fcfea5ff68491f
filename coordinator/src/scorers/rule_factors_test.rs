//! Tests of rule factors.

use covey_config::RuleAction;

use super::*;
use crate::feed::testing::{query, scored};
use crate::rules::testing::{about, rule, topic};

fn after(post: FeedCandidate) -> FeedCandidate {
    let boost = rule("more", RuleAction::Boost { factor: 1.5 }, topic(7));
    let demote = rule("less", RuleAction::Demote { factor: 0.5 }, topic(8));
    let mut after = scored(RuleFactors::new(&[boost, demote]), vec![post]);
    after.remove(0)
}

fn of(topics: &[u32], score: Option<Score>) -> FeedCandidate {
    let mut post = about(1, topics);
    post.networked = score.expect("a number");
    post
}

#[test]
fn every_rule_that_matches_counts_and_says_so() {
    let both = after(of(&[7, 8], Score::new(2.0)));
    assert_eq!(both.score.value(), 1.5);
    assert_eq!(both.rules.factors, 0b11, "both");
    let first = after(of(&[7], Score::new(2.0)));
    assert_eq!((first.score.value(), first.rules.factors), (3.0, 0b01));
    let neither = after(of(&[], Score::new(2.0)));
    assert_eq!((neither.score.value(), neither.rules), (2.0, RuleMarks::default()));
}

#[test]
fn a_boost_keeps_the_scale() {
    let fallback = after(of(&[7], Score::fallback(2.0)));
    assert_eq!((fallback.score.value(), fallback.score.is_scored()), (3.0, false));
    assert_eq!(after(of(&[7], Some(Score::UNSCORED))).score, Score::UNSCORED);
}

#[test]
fn it_is_off_without_such_rules() {
    assert!(!RuleFactors::new(&[]).enable(&query()));
}
