//! The order of a run, whatever the order of completion.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::testing::{ByScore, DEADLINE, Query, World, ids, ms, posts};
use crate::{Components, Limits, Outcome, Pipeline, Request, Stage, Status};

fn assert_send<T: Send>(value: T) -> T {
    value
}

#[test]
fn a_run_can_move_between_threads() {
    let world = World::default();
    let pipeline: Pipeline<Query, _> = world.pipeline(world.finding(5, posts(1..4)), Limits::default());
    let outcome = world
        .timer
        .drive(assert_send(pipeline.run(world.request())))
        .expect("nothing fails");
    assert_eq!(ids(outcome.selected.iter()), [1, 2, 3]);
}

/// One slow component before one fast one in every list.
fn slow_then_fast(world: &World) -> Components<crate::testing::Query, crate::testing::Post> {
    let slow = |name| world.fake(name).delay(ms(5));
    let fast = |name| world.fake(name).delay(ms(1));
    Components {
        query_hydrators: vec![Box::new(slow("q1")), Box::new(fast("q2"))],
        dependent_query_hydrators: vec![Box::new(slow("d1")), Box::new(fast("d2"))],
        sources: vec![
            Box::new(slow("s1").finds(posts(1..4))),
            Box::new(fast("s2").finds(posts(4..7))),
        ],
        hydrators: vec![Box::new(slow("h1")), Box::new(fast("h2"))],
        filters: vec![Box::new(slow("f1")), Box::new(fast("f2"))],
        scorers: vec![
            Box::new(slow("c1").rates(|post| post.id as f64)),
            Box::new(fast("c2").rates(|post| post.score * 10.0)),
        ],
        selector: Box::new(ByScore(4)),
        post_hydrators: vec![Box::new(slow("ph1")), Box::new(fast("ph2"))],
        post_filters: vec![Box::new(slow("pf1")), Box::new(fast("pf2"))],
        arranger: None,
        side_effects: vec![],
    }
}

#[test]
fn stages_run_in_order_and_members_as_their_stage_says() {
    let world = World::default();
    let outcome = world.run(slow_then_fast(&world)).expect("nothing fails");
    let expected = "start q1,start q2,end q2,end q1,start d1,start d2,end d2,end d1,start s1,start s2,end s2,end s1,\
                    start h1,start h2,end h2,end h1,start f1,end f1,start f2,end f2,start c1,end c1,start c2,end c2,\
                    start ph1,start ph2,end ph2,end ph1,start pf1,end pf1,start pf2,end pf2,";
    // The slate of 4 is short of 35, so two more are fetched in one round of backfill.
    let backfill = "start ph1,start ph2,end ph2,end ph1,start pf1,end pf1,start pf2,end pf2";
    assert_eq!(world.log().join(","), format!("{expected}{backfill}"));
    assert_eq!(outcome.report.took, ms(5 + 5 + 5 + 5 + 6 + 6 + 11 + 11));
}

#[test]
fn updates_are_applied_in_list_order_on_what_all_of_a_stage_saw() {
    let world = World::default();
    let outcome = world.run(slow_then_fast(&world)).expect("nothing fails");
    assert_eq!(outcome.query.tags, [("q1", 0), ("q2", 0), ("d1", 2), ("d2", 2)]);
    for post in outcome.selected.iter() {
        assert_eq!(post.tags, [("h1", 0), ("h2", 0), ("ph1", 2), ("ph2", 2)]);
    }
}

#[test]
fn sources_are_appended_in_list_order_and_scorers_see_earlier_scores() {
    let world = World::default();
    let mut components = slow_then_fast(&world);
    components
        .filters
        .push(Box::new(world.fake("order").compares(|post, before| {
            crate::Verdict::remove_if(before.last().is_some_and(|last| last.id > post.id), "out_of_order")
        })));
    let outcome = world.run(components).expect("nothing fails");
    assert_eq!(ids(outcome.selected.iter()), [6, 5, 4, 3, 2, 1]);
    assert_eq!(outcome.selected[0].score, 60.0);
}

#[test]
fn equal_scores_keep_their_order_and_no_score_ranks_last() {
    let world = World::default();
    let mut found = posts([5, 3, 9, 1]);
    found.iter_mut().for_each(|post| post.score = 1.0);
    found[1].score = f64::NAN;
    let outcome = world.run(world.finding(10, found)).expect("nothing fails");
    assert_eq!(ids(outcome.selected.iter()), [5, 9, 1, 3]);
}

#[test]
fn what_does_not_fit_leads_the_reserve() {
    let world = World::default();
    let request = Request {
        result_size: Some(2),
        ..world.request()
    };
    let outcome = world
        .run_with(world.finding(4, posts(1..8)), Limits::default(), request)
        .expect("nothing fails");
    assert_eq!(ids(outcome.selected.iter()), [1, 2]);
    assert_eq!(ids(outcome.reserve.iter()), [3, 4, 5, 6, 7]);
}

#[test]
fn a_request_cannot_ask_for_more_than_the_limit() {
    let world = World::default();
    let limits = Limits {
        result_size: 3,
        ..Limits::default()
    };
    let request = Request {
        result_size: Some(50),
        ..world.request()
    };
    let outcome = world
        .run_with(world.finding(10, posts(1..8)), limits, request)
        .expect("nothing fails");
    assert_eq!(outcome.selected.len(), 3);
}

#[test]
fn disabled_components_are_not_called_and_a_disabled_selector_keeps_the_order() {
    let world = World::default();
    let mut components = slow_then_fast(&world);
    components.side_effects.push(std::sync::Arc::new(world.fake("e1")));
    let mut request = world.request();
    let names = components.names();
    request.query.off = names
        .iter()
        .map(|(_, name)| *name)
        .filter(|name| *name != "s1")
        .collect();
    let outcome = world
        .run_with(components, Limits::default(), request)
        .expect("nothing fails");
    assert_eq!(world.log(), ["start s1", "end s1"]);
    assert_eq!(ids(outcome.selected.iter()), [1, 2, 3]);
    let disabled = outcome
        .report
        .components
        .iter()
        .filter(|entry| entry.status == Status::Disabled)
        .count();
    assert_eq!(disabled, names.len() - 1);
    assert!(outcome.report.degraded.is_empty());
}

#[test]
fn a_run_without_candidates_calls_nobody_who_needs_some() {
    let world = World::default();
    let mut components = slow_then_fast(&world);
    components.sources.clear();
    let outcome = world.run(components).expect("an empty feed is no error");
    assert!(outcome.selected.is_empty());
    assert_eq!(
        outcome.report.of("f1").next().map(|entry| &entry.status),
        Some(&Status::Skipped("no_candidates"))
    );
    assert!(world.names("start").iter().all(|name| name.starts_with(['q', 'd'])));
}

#[test]
fn a_next_page_filters_and_judges_the_reserve_without_scoring_it_again() {
    let world = World::default();
    let mut components = slow_then_fast(&world);
    components
        .filters
        .push(Box::new(world.fake("seen").removes([8], "seen")));
    let pipeline = world.pipeline(components, Limits::default());
    let outcome = world
        .timer
        .drive(pipeline.resume(world.request(), posts([9, 8, 7])))
        .expect("nothing fails");
    assert_eq!(ids(outcome.selected.iter()), [9, 7]);
    let called = world.names("start");
    assert!(called.contains(&"q1".to_owned()) && called.contains(&"pf2".to_owned()));
    assert!(
        called.iter().all(|name| !["s1", "h1", "c1"].contains(&name.as_str())),
        "{called:?}"
    );
}

#[test]
fn the_report_names_every_stage_and_serialises() {
    let world = World::default();
    let mut components = slow_then_fast(&world);
    components
        .filters
        .push(Box::new(world.fake("odd").removes([1, 3], "odd")));
    let outcome = world.run(components).expect("nothing fails");
    let report = serde_json::to_value(&outcome.report).expect("a report is plain data");
    let stages: Vec<&str> = report["stages"]
        .as_array()
        .expect("list")
        .iter()
        .filter_map(|s| s["stage"].as_str())
        .collect();
    assert_eq!(
        stages[..4],
        ["query_hydrator", "dependent_query_hydrator", "source", "hydrator"]
    );
    assert_eq!(
        stages[4..9],
        ["filter", "scorer", "selector", "post_hydrator", "post_filter"]
    );
    let odd = report["components"]
        .as_array()
        .expect("list")
        .iter()
        .find(|c| c["component"] == "odd")
        .expect("ran");
    assert_eq!(odd["removed"]["odd"], 2);
    assert_eq!(
        (&odd["input"], &odd["output"], &odd["status"]),
        (&6.into(), &4.into(), &"ok".into())
    );
    let source = outcome.report.of("s1").next().expect("ran");
    assert_eq!((source.stage, source.output, source.took), (Stage::Source, 3, ms(5)));
}

fn random_run(delays: &[u64], removed: &[u64], slate: usize, size: usize) -> Outcome<Query, crate::testing::Post> {
    let world = World::default();
    let components = Components {
        sources: vec![
            Box::new(world.fake("s1").delay(ms(delays[0])).finds(posts(0..10))),
            Box::new(world.fake("s2").delay(ms(delays[1])).finds(posts(10..20))),
            Box::new(world.fake("s3").delay(ms(delays[2])).finds(posts(20..30))),
        ],
        hydrators: vec![
            Box::new(world.fake("h1").delay(ms(delays[3]))),
            Box::new(world.fake("h2").delay(ms(delays[4])).bad_rows([2, 12])),
        ],
        filters: vec![Box::new(
            world
                .fake("third")
                .judges(|post| crate::Verdict::remove_if(post.id % 3 == 0, "third")),
        )],
        post_filters: vec![Box::new(
            world.fake("listed").removes(removed.iter().copied(), "listed"),
        )],
        ..Components::new(Box::new(ByScore(slate)))
    };
    let limits = Limits {
        result_size: size,
        backfill_rounds: 100,
        ..Limits::default()
    };
    world
        .run_with(components, limits, world.request())
        .expect("nothing is required")
}

proptest! {
    #[test]
    fn delays_change_nothing_but_the_timings(
        delays in prop::collection::vec(0..20u64, 5), removed in prop::collection::vec(0..30u64, 0..20),
        slate in 1..30usize, size in 1..30usize,
    ) {
        let (slow, fast) = (random_run(&delays, &removed, slate, size), random_run(&[0; 5], &removed, slate, size));
        prop_assert_eq!(&slow.selected, &fast.selected);
        prop_assert_eq!(&slow.reserve, &fast.reserve);
        prop_assert_eq!(&slow.removed, &fast.removed);
        prop_assert_eq!(&slow.report.degraded, &fast.report.degraded);
        prop_assert!(slow.report.took < DEADLINE);
    }

    #[test]
    fn every_candidate_ends_in_exactly_one_list(
        removed in prop::collection::vec(0..30u64, 0..20), slate in 1..30usize, size in 1..30usize,
    ) {
        let outcome = random_run(&[0; 5], &removed, slate, size);
        let mut count = BTreeMap::new();
        let gone = outcome.removed.iter().map(|removed| &removed.candidate);
        for post in outcome.selected.iter().chain(outcome.reserve.iter()).chain(gone) {
            *count.entry(post.id).or_insert(0) += 1;
        }
        prop_assert_eq!(count, (0..30).map(|id| (id, 1)).collect::<BTreeMap<u64, i32>>());
        let good = (0..30).filter(|id| id % 3 != 0 && !removed.contains(id)).count();
        prop_assert_eq!(outcome.selected.len(), size.min(good));
        let ranks: Vec<f64> = outcome.selected.iter().chain(outcome.reserve.iter()).map(|post| post.score).collect();
        prop_assert!(ranks.is_sorted_by(|a, b| a >= b), "{:?}", ranks);
    }
}
