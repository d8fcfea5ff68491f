//! Backfill.

use crate::testing::{DEADLINE, Fake, Outcomes, World, ids, posts};
use crate::{Limits, Stage, Verdict};

/// Slate of 4 out of 1..=12, result size 4, with one post-selection hydrator and filter.
fn run(rounds: u32, hydrator: impl Fn(Fake) -> Fake, filter: impl Fn(Fake) -> Fake) -> (World, Outcomes) {
    let world = World::default();
    let mut list = world.finding(4, posts(1..13));
    list.post_hydrators.push(Box::new(hydrator(world.fake("hydrator"))));
    list.post_filters.push(Box::new(filter(world.fake("filter"))));
    let limits = Limits {
        result_size: 4,
        backfill_rounds: rounds,
        ..Limits::default()
    };
    let outcome = world.run_with(list, limits, world.request());
    (world, outcome)
}

#[test]
fn the_slate_is_filled_up_from_the_reserve_in_rank_order() {
    let (_, outcome) = run(5, |h| h, |f| f.removes([1, 2, 5], "listed"));
    let outcome = outcome.expect("nothing fails");
    // 3 4 survive; 5 6 come, 5 goes; 7 comes.
    assert_eq!(ids(outcome.selected.iter()), [3, 4, 6, 7]);
    assert_eq!(ids(outcome.reserve.iter()), [8, 9, 10, 11, 12]);
    assert_eq!(outcome.report.backfill_rounds, 2);
    let inputs: Vec<usize> = outcome.report.of("filter").map(|entry| entry.input).collect();
    assert_eq!(inputs, [4, 4, 4], "the whole slate is filtered again");
    let inputs: Vec<usize> = outcome.report.of("hydrator").map(|entry| entry.input).collect();
    assert_eq!(inputs, [4, 2, 1], "only the new ones are hydrated");
    assert!(outcome.selected.iter().all(|post| post.tags == [("hydrator", 0)]));
}

#[test]
fn new_ones_are_compared_with_those_already_on_the_slate() {
    let same_group = |post: &crate::testing::Post, before: &[crate::testing::Post]| {
        Verdict::remove_if(before.iter().any(|other| other.id % 5 == post.id % 5), "same_group")
    };
    let (_, outcome) = run(9, |h| h, move |f| f.compares(same_group));
    assert_eq!(ids(outcome.expect("nothing fails").selected.iter()), [1, 2, 3, 4]);
    let same_third = |post: &crate::testing::Post, before: &[crate::testing::Post]| {
        Verdict::remove_if(before.iter().any(|other| other.id % 3 == post.id % 3), "same_third")
    };
    let (_, outcome) = run(99, |h| h, move |f| f.compares(same_third));
    let outcome = outcome.expect("nothing fails");
    assert_eq!(ids(outcome.selected.iter()), [1, 2, 3]);
    assert!(outcome.reserve.is_empty());
}

#[test]
fn the_number_of_rounds_is_bounded() {
    let (_, outcome) = run(2, |h| h, |f| f.removes(1..=12, "listed"));
    let outcome = outcome.expect("an empty answer is no error");
    assert!(outcome.selected.is_empty());
    assert_eq!(outcome.report.backfill_rounds, 2);
    assert!(outcome.reserve.is_empty(), "4 + 4 + 4 were judged");
    let (_, outcome) = run(0, |h| h, |f| f.removes([1], "listed"));
    assert_eq!(ids(outcome.expect("nothing fails").selected.iter()), [2, 3, 4]);
}

#[test]
fn no_round_is_begun_when_the_time_is_up() {
    let (_, outcome) = run(9, |h| h.required().delay(DEADLINE), |f| f.removes([1], "listed"));
    let outcome = outcome.expect("it answers at the last moment");
    assert_eq!(ids(outcome.selected.iter()), [2, 3, 4]);
    assert_eq!(outcome.report.backfill_rounds, 0);
}

#[test]
fn a_required_hydrator_that_fails_in_a_round_ends_the_backfill_and_keeps_the_answer() {
    let (_, outcome) = run(9, |h| h.required().error_from(1), |f| f.removes([1, 2], "listed"));
    let outcome = outcome.expect("the first slate was judged");
    assert_eq!(ids(outcome.selected.iter()), [3, 4]);
    assert_eq!(ids(outcome.reserve.iter()), (5..13).collect::<Vec<_>>());
    assert_eq!(outcome.report.backfill_rounds, 1);
    assert_eq!(outcome.report.degraded.len(), 1);
}

#[test]
fn a_required_filter_that_fails_in_a_round_removes_only_the_new_ones() {
    let (_, outcome) = run(2, |h| h, |f| f.required().removes([1, 2], "listed").error_from(1));
    let outcome = outcome.expect("the first slate was judged");
    assert_eq!(ids(outcome.selected.iter()), [3, 4]);
    let gone: Vec<_> = outcome
        .removed
        .iter()
        .map(|r| (r.candidate.id, r.round, r.reason))
        .collect();
    assert_eq!(
        gone,
        [
            (1, 0, "listed"),
            (2, 0, "listed"),
            (5, 1, "rpc"),
            (6, 1, "rpc"),
            (7, 2, "rpc"),
            (8, 2, "rpc")
        ]
    );
    let named = outcome
        .report
        .degraded
        .iter()
        .filter(|d| d.stage == Stage::PostFilter)
        .count();
    assert_eq!(named, 1, "each failure is named once, however many rounds it lasts");
}
