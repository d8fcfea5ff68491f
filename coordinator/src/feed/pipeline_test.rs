//! Tests of pipeline.

use covey_config::{CapPer, RuleConfig};
use covey_pipeline::{Arranger, Stage};

use super::*;
use crate::feed::broken::parts;
use crate::feed::fake_shards::FakeShards;
use crate::feed::testing::{env, query};
use crate::rules::testing::{about, cap};

fn list() -> Components<FeedQuery, FeedCandidate> {
    components(
        &Lasting::over(Arc::new(FakeShards::default()), &env()),
        &Config::default(),
    )
}

fn names(wanted: Stage) -> Vec<&'static str> {
    let all = list().names();
    all.into_iter()
        .filter(|(stage, _)| *stage == wanted)
        .map(|(_, name)| name)
        .collect()
}

#[test]
fn filters_run_in_the_order_of_the_specification() {
    let order = [
        "DropDuplicates",
        "CoreData",
        "Age",
        "SelfPost",
        "IneligibleSubscription",
        "PreviouslySeen",
        "PreviouslyServed",
        "MutedKeyword",
        "AuthorSocialgraph",
        "Labels",
        "ContentDuplicate",
        "RetweetDedup",
        "L1Cut",
    ];
    assert_eq!(names(Stage::Filter), order);
    assert_eq!(names(Stage::PostFilter), ["Visibility", "DedupConversation"]);
}

#[test]
fn channels_and_scorers_stand_in_their_order() {
    let sources = [
        "InNetwork",
        "OutOfNetwork",
        "SimilarToRecent",
        "Popular",
        "New",
        "Active",
        "Subscribed",
        "Topics",
        "Local",
    ];
    assert_eq!(names(Stage::Source), sources);
    let scorers = [
        "ModelScorer",
        "WeightedScorer",
        "AuthorDiversity",
        "OutOfNetwork",
        "RuleFactors",
    ];
    assert_eq!(names(Stage::Scorer), scorers);
    assert_eq!(names(Stage::Arranger), ["PageRules"]);
    assert_eq!(names(Stage::QueryHydrator), ["Viewer"]);
}

#[test]
fn what_must_not_fail_open_is_required() {
    let all = parts(&list());
    let required: Vec<&str> = all.iter().filter(|part| part.required).map(|part| part.name).collect();
    assert_eq!(
        required,
        [
            "Viewer",
            "UserFeatures",
            "IneligibleSubscription",
            "MutedKeyword",
            "AuthorSocialgraph",
            "Verdicts",
            "Visibility"
        ]
    );
}

fn selector(rules: &[RuleConfig], size: usize) -> TopK {
    let rules = PageRules::new(rules);
    TopK { size, rules }
}

/// Post `i` is about topic `topic(i)`, the first is the best.
fn ranked(n: u64, topic: impl Fn(u64) -> u32) -> Vec<FeedCandidate> {
    let one = |i| {
        let mut post = about(i, &[topic(i)]);
        post.score = Score::new(-(i as f64)).expect("a number");
        post
    };
    (1..=n).map(one).collect()
}

fn ids(posts: &[FeedCandidate]) -> Vec<u64> {
    posts.iter().map(|post| post.post().0).collect()
}

#[test]
fn what_a_cap_has_no_room_for_takes_no_place_in_the_slate_nor_in_backfill() {
    let rules = [cap("two", CapPer::Topic, 2)];
    // 200 posts of one topic above 100 others, each of a topic of its own.
    let posts = ranked(300, |i| if i <= 200 { 7 } else { i as u32 });
    let mut selection = selector(&rules, 50).select(&query(), posts);
    assert_eq!(ids(&selection.selected)[..4], [1, 2, 201, 202]);
    let page = PageRules::new(&rules).arrange(&query(), &mut selection.selected, 35);
    assert_eq!(page, (0..35).collect::<Vec<_>>(), "full, and nothing is made up for");
    assert_eq!(ids(&selection.reserve)[..52], (249..=300).collect::<Vec<_>>());
    assert_eq!(
        ids(&selection.reserve)[52..54],
        [3, 4],
        "what is left of the topic, best first"
    );
    let told = selection
        .reserve
        .iter()
        .filter(|post| post.rules.placed.is_some())
        .count();
    assert_eq!(told, 198, "what the cap kept out says so");

    // With more than enough others the next page still finds the best of the topic near the front.
    let posts = ranked(300, |i| if i <= 10 { 7 } else { i as u32 });
    let selection = selector(&rules, 20).select(&query(), posts);
    assert_eq!(ids(&selection.selected), [vec![1, 2], (11..=28).collect()].concat());
    let reserve = [(29..=68).collect(), (3..=10).collect(), (69..=300).collect::<Vec<_>>()].concat();
    assert_eq!(ids(&selection.reserve), reserve);
}

#[test]
fn equal_scores_rank_by_the_first_score_and_then_by_id_wherever_they_were_found() {
    let tied = |id: u64, l1: f64| FeedCandidate {
        l1: Some(l1),
        score: Score::new(0.0).expect("a number"),
        ..about(id, &[])
    };
    let posts = vec![tied(4, 0.1), tied(3, 0.5), tied(2, 0.1), tied(1, 0.3)];
    let mut selection = selector(&[], 3).select(&query(), posts);
    assert_eq!(
        (ids(&selection.selected), ids(&selection.reserve)),
        (vec![3, 1, 2], vec![4])
    );
    selection.selected.reverse();
    let page = PageRules::new(&[]).arrange(&query(), &mut selection.selected, 3);
    assert_eq!(page, [2, 1, 0], "the arranger ranks as the selector does");
}
