//! Tests of interests.

use super::*;
use crate::feed::testing::{MINUTE, NOW, action, ago, key};
use crate::hydrators::user_action_sequence::aggregate;
use covey_shared::model::ActionKind::{Click, Dwell, Favorite, Report};

const DAY: Duration = Duration::from_secs(86_400);

fn vectors(list: &[(u64, &[f32])]) -> BTreeMap<PostKey, Vec<f32>> {
    list.iter()
        .map(|(post, vector)| (key(2, *post), vector.to_vec()))
        .collect()
}

#[test]
fn recent_likes_weigh_more_by_half_lives() {
    let liked = [(key(2, 10), NOW), (key(2, 11), ago(24 * 60 * MINUTE))];
    let vector = interest_vector(&liked, &vectors(&[(10, &[1.0, 0.0]), (11, &[0.0, 1.0])]), NOW, DAY);
    let vector = vector.expect("both vectors are known");
    // (1, ½) at unit length
    let norm = 1.25f32.sqrt();
    assert!(
        (vector[0] - 1.0 / norm).abs() < 1e-6 && (vector[1] - 0.5 / norm).abs() < 1e-6,
        "{vector:?}"
    );
}

#[test]
fn there_is_none_without_vectors_or_when_they_cancel_out() {
    let liked = [(key(2, 10), NOW), (key(2, 11), NOW)];
    assert_eq!(interest_vector(&liked, &vectors(&[]), NOW, DAY), None);
    assert_eq!(interest_vector(&liked, &vectors(&[(10, &[])]), NOW, DAY), None);
    assert_eq!(
        interest_vector(&liked, &vectors(&[(10, &[1.0, 0.0]), (11, &[-1.0, 0.0])]), NOW, DAY),
        None
    );
    assert_eq!(
        interest_vector(&liked, &vectors(&[(10, &[f32::NAN, 0.0])]), NOW, DAY),
        None
    );
}

fn chosen(list: &[(u64, &[f32])], most: usize) -> Vec<Vec<f32>> {
    let liked: Vec<_> = list.iter().map(|(post, _)| (key(2, *post), NOW)).collect();
    medoids(&liked, &vectors(list), most)
}

#[test]
fn medoids_stand_for_the_larger_groups_first_and_no_more_are_chosen_than_there_are_groups() {
    let posts: [(u64, &[f32]); 6] = [
        (10, &[0.0, 0.0, 3.0]),
        (11, &[1.0, 0.1, 0.0]),
        (12, &[1.0, 0.0, 0.0]),
        (13, &[1.0, -0.1, 0.0]),
        (14, &[0.0, 2.0, 0.1]),
        (15, &[0.0, 2.0, 0.0]),
    ];
    let found = chosen(&posts, 9);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0][0] > 0.99, "one of the largest group");
    assert!(found[1][1] > 0.99, "then the second largest");
    assert_eq!(found[2], [0.0, 0.0, 3.0], "as it is stored");
    assert_eq!(chosen(&posts, 1), found[..1]);
}

#[test]
fn among_many_posts_that_have_nothing_in_common_there_is_one_at_least() {
    let axis = |n: u64| (0..40).map(|at| f32::from(u8::from(at == n))).collect::<Vec<f32>>();
    let axes: Vec<(u64, Vec<f32>)> = (0..40).map(|n| (10 + n, axis(n))).collect();
    let posts: Vec<(u64, &[f32])> = axes.iter().map(|(post, axis)| (*post, axis.as_slice())).collect();
    assert_eq!(chosen(&posts, 3), [axis(0)]);
}

#[test]
fn medoids_need_vectors_of_one_length_that_point_somewhere() {
    assert!(chosen(&[], 3).is_empty());
    assert!(chosen(&[(10, &[]), (11, &[0.0, 0.0]), (12, &[f32::NAN, 1.0])], 3).is_empty());
    assert_eq!(chosen(&[(10, &[0.0, 2.0]), (11, &[1.0])], 3), [[0.0, 2.0]]);
    // Of equals the newest, which comes first.
    assert_eq!(chosen(&[(10, &[0.0, 1.0]), (11, &[1.0, 0.0])], 1), [[0.0, 1.0]]);
}

#[test]
fn a_vector_of_another_length_is_left_out() {
    let liked = [(key(2, 10), NOW), (key(2, 11), NOW)];
    let vector = interest_vector(&liked, &vectors(&[(10, &[0.0, 2.0]), (11, &[1.0])]), NOW, DAY);
    assert_eq!(vector, Some(vec![0.0, 1.0]));
}

#[test]
fn liked_posts_come_newest_first_and_once() {
    let actions = [
        action(Favorite, key(2, 10), ago(90 * MINUTE)),
        action(Click, key(2, 11), ago(80 * MINUTE)),
        action(Dwell, key(2, 12), ago(70 * MINUTE)),
        action(Report, key(2, 13), ago(60 * MINUTE)),
        action(Favorite, key(2, 10), ago(50 * MINUTE)),
    ];
    let sequence = aggregate(&actions, Duration::from_secs(300), 99);
    assert_eq!(
        liked(&sequence, 9),
        [(key(2, 10), ago(50 * MINUTE)), (key(2, 11), ago(80 * MINUTE))]
    );
    assert_eq!(liked(&sequence, 1).len(), 1);
}
