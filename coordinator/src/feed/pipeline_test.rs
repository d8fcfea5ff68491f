//! Tests of pipeline.

use covey_pipeline::Stage;

use super::*;
use crate::feed::broken::parts;
use crate::feed::fake_shards::FakeShards;

fn names(wanted: Stage) -> Vec<&'static str> {
    let shards: Arc<dyn Shards> = Arc::new(FakeShards::default());
    let all = components(&shards, None, &Config::default()).names();
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
    let sources = ["InNetwork", "OutOfNetwork", "SimilarToRecent", "Popular", "New"];
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
    let shards: Arc<dyn Shards> = Arc::new(FakeShards::default());
    let all = parts(&components(&shards, None, &Config::default()));
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
