//! Tests of the model scorer.

use covey_pipeline::Scorer;
use covey_shared::ids::PostId;
use covey_shared::model::{ActionKind, HEADS};

use super::*;
use crate::feed::fake_ranker::{FakeRanker, Mood, outputs};
use crate::feed::testing::{VIEWER, core, key, post, query, repost, scored};

fn scorer(ranker: FakeRanker) -> (ModelScorer, Arc<FakeRanker>) {
    let ranker = Arc::new(ranker);
    let scorer = ModelScorer {
        ranker: Some(ranker.clone()),
        timeout: Duration::from_millis(5),
    };
    (scorer, ranker)
}

fn predicted(posts: &[FeedCandidate]) -> Vec<bool> {
    posts.iter().map(|post| post.predictions.is_some()).collect()
}

#[test]
fn it_is_off_without_a_model() {
    let without = ModelScorer {
        ranker: None,
        timeout: Duration::from_millis(5),
    };
    assert!(!Scorer::enable(&without, &query()));
    assert_eq!(predicted(&scored(without, vec![post(2, 1)])), [false]);
}

#[test]
fn each_post_keeps_what_the_model_says_of_it() {
    let (scorer, ranker) = scorer(FakeRanker::new(|post| {
        Some(outputs(&[(ActionKind::Reply, post.key.post.0 as f32 / 10.0)]))
    }));
    let after = scored(scorer, vec![post(2, 1), post(3, 5)]);
    let replies: Vec<_> = after
        .iter()
        .flat_map(|post| post.predictions.as_ref().expect("it answered").values().nth(1))
        .collect();
    let expected = [0.1_f32, 0.5].map(|share| (ActionKind::Reply, f64::from(share)));
    assert_eq!(replies, expected);
    assert_eq!(*ranker.asked.lock(), [(VIEWER, vec![PostId(1), PostId(5)])]);
}

#[test]
fn a_repost_is_ranked_as_its_original_where_that_is_known() {
    let (scorer, ranker) = scorer(FakeRanker::new(|_| Some([0.5; HEADS])));
    let mut known = repost(2, 20, key(9, 10));
    known.source = core(9, 10).into();
    scored(scorer, vec![known, repost(2, 21, key(9, 11))]);
    assert_eq!(ranker.asked.lock()[0].1, [PostId(10), PostId(21)]);
}

#[test]
fn what_is_no_probability_is_no_prediction() {
    let (scorer, _) = scorer(FakeRanker::new(|post| match post.key.post.0 {
        1 => None,
        2 => Some(outputs(&[(ActionKind::Share, f32::NAN)])),
        3 => Some(outputs(&[(ActionKind::Share, f32::INFINITY)])),
        4 => Some(outputs(&[(ActionKind::DwellTime, -0.1)])),
        5 => Some(outputs(&[(ActionKind::DwellTime, 1.1)])),
        _ => Some(outputs(&[(ActionKind::Share, 1.0)])),
    }));
    let posts = (1..7).map(|id| post(2, id)).collect();
    let after = scored(scorer, posts);
    assert_eq!(predicted(&after), [false, false, false, false, false, true]);
}

#[test]
fn a_model_that_fails_or_hangs_leaves_no_predictions() {
    for mood in [Mood::Fails, Mood::Hangs] {
        let ranker = FakeRanker {
            mood,
            ..FakeRanker::new(|_| Some([0.5; HEADS]))
        };
        let (scorer, _) = scorer(ranker);
        assert_eq!(predicted(&scored(scorer, vec![post(2, 1)])), [false]);
    }
}
