//! Tests of the weighted scorer.

use covey_config::Config;
use covey_shared::model::ActionKind;

use super::*;
use crate::feed::fake_ranker::outputs;
use crate::feed::testing::{post, scored};
use crate::ranking::predictions::Predictions;

fn after(posts: Vec<FeedCandidate>) -> Vec<FeedCandidate> {
    let weighted = WeightedScore::new(&Config::default().feed, |_| true);
    let model = Some(7);
    scored(WeightedScorer { weighted, model }, posts)
}

fn predicted(said: &[(ActionKind, f32)]) -> FeedCandidate {
    let mut post = post(2, 1);
    post.predictions = Predictions::new(outputs(said));
    post.l1 = Some(1.0);
    post
}

#[test]
fn what_has_no_predictions_ranks_below_the_worst_that_has_some() {
    let mut unranked = post(2, 2);
    unranked.l1 = Some(1000.0);
    let posts = after(vec![predicted(&[(ActionKind::Report, 1.0)]), unranked, post(2, 3)]);
    let models = posts.iter().map(|post| post.scored.and_then(|scored| scored.model));
    assert!(models.eq([Some(7), None, None]), "whose score it is");
    let [worst, unranked, unscored] = [0, 1, 2].map(|i| posts[i].score);
    assert!(worst > unranked && unranked > unscored);
    assert!(worst.value() < 0.001 && worst.is_scored());
    assert_eq!((unranked.value(), unranked.is_scored()), (1000.0, false));
    assert_eq!(unscored, Score::UNSCORED);
}

#[test]
fn the_score_begins_every_later_step_and_says_when_it_was_made() {
    let posts = after(vec![predicted(&[(ActionKind::Favorite, 1.0)])]);
    let post = &posts[0];
    assert!((post.weighted.value() - 0.501).abs() < 1e-12);
    assert_eq!([post.diversified, post.networked, post.score], [post.weighted; 3]);
    assert!(post.scored.is_some());
}

#[test]
fn only_the_video_that_is_shown_counts() {
    let mut with = predicted(&[(ActionKind::Vqv, 1.0)]);
    with.video_ms = Some(10_001);
    let posts = after(vec![with, predicted(&[(ActionKind::Vqv, 1.0)])]);
    let values: Vec<f64> = posts.iter().map(|post| post.score.value()).collect();
    assert_eq!(values, [0.05 + 0.001, 0.001]);
}
