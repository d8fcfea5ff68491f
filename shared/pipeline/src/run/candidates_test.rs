//! Filters and rows: what fails open and what fails closed.

use std::collections::BTreeMap;

use crate::testing::{Fake, Post, Query, World, ids, ms, posts};
use crate::{Degraded, Fate, Filter, PipelineError, Reply, RunContext, Stage, Verdict, ready};

fn with_filter(change: impl Fn(Fake) -> Fake) -> (Vec<u64>, crate::Report) {
    let world = World::default();
    let mut list = world.finding(5, posts(1..4));
    list.filters.push(Box::new(change(world.fake("filter"))));
    let outcome = world.run(list).expect("the filter does not fail");
    (ids(outcome.selected.iter()), outcome.report)
}

#[test]
fn filters_see_only_what_those_before_them_kept() {
    let world = World::default();
    let mut list = world.finding(9, posts(1..6));
    list.filters.push(Box::new(world.fake("first").removes([2, 4], "a")));
    list.filters.push(Box::new(world.fake("second").removes([4, 5], "b")));
    let outcome = world.run(list).expect("nothing fails");
    assert_eq!(ids(outcome.selected.iter()), [1, 3]);
    let gone: Vec<_> = outcome
        .removed
        .iter()
        .map(|r| (r.candidate.id, r.component, r.reason))
        .collect();
    assert_eq!(gone, [(2, "first", "a"), (4, "first", "a"), (5, "second", "b")]);
    let second = outcome.report.of("second").next().expect("it ran");
    assert_eq!((second.input, second.output, second.removed["b"]), (3, 2, 1));
}

#[test]
fn a_failed_filter_removes_nothing_and_ends_the_run_if_it_is_required() {
    type Break = fn(Fake) -> Fake;
    let ways: [(Break, &str); 3] = [
        (|fake| fake.error(), "rpc"),
        (|fake| fake.delay(ms(50)).budget(ms(5)), "timed_out"),
        (|fake| fake.one_row_too_few(), "length_mismatch"),
    ];
    for (fail, reason) in ways {
        let (open, report) = with_filter(fail);
        assert_eq!(open, [1, 2, 3]);
        assert_eq!(
            report.degraded,
            [Degraded {
                stage: Stage::Filter,
                component: "filter",
                reason
            }]
        );
        // An empty answer would look like the end of the list.
        let world = World::default();
        let mut list = world.finding(5, posts(1..4));
        list.filters.push(Box::new(fail(world.fake("filter")).required()));
        let Err(PipelineError::Unavailable { stage, component, .. }) = world.run(list) else {
            panic!("{reason}: it is required")
        };
        assert_eq!((stage, component), (Stage::Filter, "filter"));
    }
}

#[test]
fn what_a_filter_cannot_tell_goes_on_unless_it_is_required() {
    fn unsure(fake: Fake) -> Fake {
        fake.judges(|post| match post.id {
            1 => Verdict::Remove("bad"),
            2 => Verdict::Unjudged("no_labels"),
            _ => Verdict::Keep,
        })
    }
    let (open, report) = with_filter(unsure);
    assert_eq!(open, [2, 3]);
    assert_eq!(
        report.degraded,
        [Degraded {
            stage: Stage::Filter,
            component: "filter",
            reason: "partial"
        }]
    );
    let (closed, report) = with_filter(|fake| unsure(fake).required());
    assert_eq!(closed, [3]);
    assert_eq!(report.of("filter").next().expect("it ran").removed["no_labels"], 1);
}

#[test]
fn a_failed_row_keeps_its_old_value() {
    let world = World::default();
    let mut list = world.finding(5, posts(1..4));
    list.hydrators.push(Box::new(world.fake("tagger").bad_rows([2])));
    list.scorers.push(Box::new(
        world.fake("scorer").bad_rows([3]).rates(|post| post.id as f64),
    ));
    let outcome = world.run(list).expect("it is not required");
    assert_eq!(ids(outcome.selected.iter()), [3, 2, 1]);
    assert_eq!(outcome.selected[0].score, 998.0, "the score it came with");
    assert_eq!(outcome.selected[1].tags, []);
    assert_eq!(outcome.selected[2].tags, [("tagger", 0)]);
    let tagger = outcome.report.of("tagger").next().expect("it ran");
    assert_eq!((tagger.output, tagger.rows_failed), (2, 1));
    assert_eq!(
        outcome.report.degraded.iter().map(|d| d.reason).collect::<Vec<_>>(),
        ["partial", "partial"]
    );
}

#[test]
fn a_row_that_a_required_hydrator_could_not_fill_is_removed() {
    let world = World::default();
    let mut list = world.finding(5, posts(1..6));
    list.hydrators
        .push(Box::new(world.fake("first").required().bad_rows([2, 5])));
    list.hydrators
        .push(Box::new(world.fake("second").required().bad_rows([1, 2])));
    let outcome = world.run(list).expect("its other rows are good");
    assert_eq!(ids(outcome.selected.iter()), [3, 4]);
    let gone: Vec<_> = outcome.removed.iter().map(|r| (r.candidate.id, r.component)).collect();
    assert_eq!(gone, [(1, "second"), (2, "first"), (5, "first")]);
    assert_eq!(outcome.report.of("second").next().expect("it ran").removed["no_row"], 1);
}

/// The first of a kind survives, with the tags of all.
struct DropDuplicates;

impl Filter<Query, Post> for DropDuplicates {
    fn filter<'a>(&'a self, _: &'a RunContext, _: &'a Query, posts: &'a mut [Post]) -> Reply<'a, Vec<Verdict>> {
        let mut first = BTreeMap::new();
        let mut verdicts = Vec::new();
        for i in 0..posts.len() {
            let survivor = *first.entry(posts[i].id).or_insert(i);
            if survivor != i {
                let tags = std::mem::take(&mut posts[i].tags);
                posts[survivor].tags.extend(tags);
            }
            verdicts.push(Verdict::remove_if(survivor != i, "duplicate"));
        }
        ready(verdicts)
    }
}

#[test]
fn a_filter_can_merge_what_it_removes_into_what_it_keeps() {
    let world = World::default();
    let mut found = posts([1, 2, 1, 3, 1]);
    for (i, post) in found.iter_mut().enumerate() {
        post.tags.push(("channel", i));
    }
    let mut list = world.finding(5, found);
    list.filters.push(Box::new(DropDuplicates));
    let outcome = world.run(list).expect("nothing fails");
    assert_eq!(ids(outcome.selected.iter()), [1, 2, 3]);
    assert_eq!(
        outcome.selected[0].tags,
        [("channel", 0), ("channel", 2), ("channel", 4)]
    );
    assert_eq!(
        outcome.report.of("DropDuplicates").next().expect("it ran").removed["duplicate"],
        2
    );
    assert_eq!(
        outcome.fate(&1),
        Fate::Selected(1),
        "the copy that came furthest counts"
    );
}
