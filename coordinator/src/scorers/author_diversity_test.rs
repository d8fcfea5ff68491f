//! Tests of author diversity.

use covey_pipeline::Score;

use super::AuthorDiversity;
use crate::feed::testing::{post, scored};

fn rule(decay: f64, floor: f64) -> AuthorDiversity {
    AuthorDiversity { decay, floor }
}

fn rounded(rule: &AuthorDiversity) -> Vec<f64> {
    (0..4).map(|k| (rule.factor(k) * 10_000.0).round() / 10_000.0).collect()
}

#[test]
fn the_factors_are_those_of_the_specification() {
    assert_eq!(rounded(&rule(0.5, 0.25)), [1.0, 0.625, 0.4375, 0.3438]);
    assert_eq!(rounded(&rule(0.7, 0.1)), [1.0, 0.73, 0.541, 0.4087]);
}

#[test]
fn the_floor_holds_for_any_number_of_posts() {
    assert_eq!(rule(0.5, 0.25).factor(100_000), 0.25);
    assert_eq!(rule(0.0, 0.0).factor(1), 0.0);
    assert_eq!(rule(1.0, 0.25).factor(9), 1.0);
}

#[test]
fn posts_are_counted_in_descending_order_per_author_not_in_list_order() {
    let scores = [(2, 1, 1.0), (3, 2, 8.0), (2, 3, 4.0), (2, 4, 2.0)];
    let posts = scores.map(|(author, id, score)| {
        let mut post = post(author, id);
        post.weighted = Score::new(score).expect("a number");
        post
    });
    let after = scored(rule(0.5, 0.25), posts.to_vec());
    let values: Vec<f64> = after.iter().map(|post| post.score.value()).collect();
    assert_eq!(values, [1.0 * 0.4375, 8.0, 4.0, 2.0 * 0.625]);
}

#[test]
fn what_has_no_score_gets_none() {
    let after = scored(rule(0.5, 0.25), vec![post(2, 1)]);
    assert_eq!(after[0].score, Score::UNSCORED);
}
