//! Tests of user action sequence.

use covey_shared::model::ActionKind::*;

use super::*;
use crate::feed::testing::{action, ago, key};

const WINDOW: Duration = Duration::from_secs(300);
const MINUTE: u64 = 60_000;

fn bits(kinds: &[ActionKind]) -> u32 {
    kinds.iter().map(|kind| 1 << kind.index()).sum()
}

fn sequence(actions: &[ViewerAction]) -> Vec<(u64, u32)> {
    aggregate(actions, WINDOW, 1024)
        .iter()
        .map(|entry| (entry.post.post.0, entry.kinds))
        .collect()
}

#[test]
fn repeats_on_a_post_within_the_window_are_one_multi_hot_entry() {
    let actions = [
        action(Click, key(2, 10), ago(30 * MINUTE)),
        action(Favorite, key(2, 11), ago(29 * MINUTE)),
        action(Favorite, key(2, 10), ago(28 * MINUTE)),
        action(Favorite, key(2, 10), ago(25 * MINUTE)),
        action(Reply, key(2, 10), ago(25 * MINUTE - 1)),
    ];
    let expected = [
        (10, bits(&[Click, Favorite])),
        (11, bits(&[Favorite])),
        (10, bits(&[Reply])),
    ];
    assert_eq!(sequence(&actions), expected);
}

#[test]
fn order_and_repetition_of_the_input_do_not_matter() {
    let actions = [
        action(Click, key(2, 10), ago(30 * MINUTE)),
        action(Favorite, key(2, 10), ago(28 * MINUTE)),
        action(Impression, key(2, 10), ago(20 * MINUTE)),
        action(Reply, key(3, 11), ago(28 * MINUTE)),
        action(Share, key(3, 12), ago(MINUTE)),
    ];
    let expected = aggregate(&actions, WINDOW, 1024);
    let mut twice = [actions, actions].concat();
    for turn in 0..twice.len() {
        twice.rotate_left(turn);
        assert_eq!(aggregate(&twice, WINDOW, 1024), expected, "turn {turn}");
        twice.reverse();
        assert_eq!(aggregate(&twice, WINDOW, 1024), expected, "turn {turn}, reversed");
    }
}

#[test]
fn entries_of_nothing_but_impressions_are_dropped() {
    let actions = [
        action(Impression, key(2, 10), ago(9 * MINUTE)),
        action(Impression, key(2, 11), ago(9 * MINUTE)),
        action(Click, key(2, 11), ago(8 * MINUTE)),
        action(Dwell, key(2, 12), ago(7 * MINUTE)),
    ];
    assert_eq!(
        sequence(&actions),
        [(11, bits(&[Impression, Click])), (12, bits(&[Dwell]))]
    );
}

#[test]
fn the_newest_entries_are_kept_oldest_first() {
    let actions: Vec<_> = (0..20)
        .map(|i| action(Click, key(2, 100 + i), ago((20 - i) * MINUTE)))
        .collect();
    let kept = aggregate(&actions, WINDOW, 3);
    assert_eq!(
        kept.iter().map(|entry| entry.post.post.0).collect::<Vec<_>>(),
        [117, 118, 119]
    );
}

#[test]
fn the_longest_look_counts() {
    let mut looks = [10, 40, 30].map(|dwell_ms| ViewerAction {
        dwell_ms,
        ..action(DwellTime, key(2, 10), ago(MINUTE))
    });
    looks[2].at = ago(0);
    assert_eq!(aggregate(&looks, WINDOW, 9)[0].dwell_ms, 40);
}

#[test]
fn what_the_viewer_liked_and_then_reported_is_not_liked() {
    let actions = [
        action(Favorite, key(2, 10), ago(MINUTE)),
        action(Report, key(2, 10), ago(0)),
    ];
    let entry = aggregate(&actions, WINDOW, 9)[0];
    assert!(entry.is_negative() && !entry.is_positive());
}

#[test]
fn affinity_counts_likes_less_dislikes_per_author() {
    let actions = [
        action(Favorite, key(2, 10), ago(MINUTE)),
        action(Reply, key(2, 11), ago(MINUTE)),
        action(NotInterested, key(3, 12), ago(MINUTE)),
        action(Favorite, key(4, 13), ago(MINUTE)),
        action(Report, key(4, 14), ago(MINUTE)),
        action(Dwell, key(5, 15), ago(MINUTE)),
    ];
    let affinity = affinity(&aggregate(&actions, WINDOW, 99));
    assert_eq!(
        affinity.into_iter().collect::<Vec<_>>(),
        [(UserId(2), 2), (UserId(3), -1)]
    );
}
