//! What happens when a component fails or takes too long.

use std::time::Duration;

use crate::testing::{DEADLINE, Fake, Query, World, ids, ms, posts};
use crate::{Components, Degraded, Failure, Limits, PipelineError, Request, RequestId, Stage, Status};

type List = Components<Query, crate::testing::Post>;
type Place = (Stage, fn(&mut List, Fake));

/// Every list in which a required component makes the run unavailable.
const PLACES: [Place; 6] = [
    (Stage::QueryHydrator, |list, fake| {
        list.query_hydrators.push(Box::new(fake))
    }),
    (Stage::DependentQueryHydrator, |list, fake| {
        list.dependent_query_hydrators.push(Box::new(fake))
    }),
    (Stage::Source, |list, fake| list.sources.push(Box::new(fake))),
    (Stage::Hydrator, |list, fake| list.hydrators.push(Box::new(fake))),
    (Stage::Scorer, |list, fake| list.scorers.push(Box::new(fake))),
    (Stage::PostHydrator, |list, fake| {
        list.post_hydrators.push(Box::new(fake))
    }),
];

#[test]
fn a_failing_component_is_named_and_skipped() {
    for (stage, put) in PLACES {
        let world = World::default();
        let mut list = world.finding(5, posts(1..4));
        put(&mut list, world.fake("broken").error());
        let outcome = world.run(list).expect("it is not required");
        assert_eq!(ids(outcome.selected.iter()), [1, 2, 3]);
        assert_eq!(
            outcome.report.degraded,
            [Degraded {
                stage,
                component: "broken",
                reason: "rpc"
            }]
        );
        let entry = outcome.report.of("broken").next().expect("it ran");
        let detail = "the component failed: rpc: connection refused".to_owned();
        assert_eq!(entry.status, Status::Failed { reason: "rpc", detail });
    }
}

#[test]
fn a_failing_required_component_makes_the_run_unavailable() {
    for (at, put) in PLACES {
        let world = World::default();
        let mut list = world.finding(5, posts(1..4));
        put(&mut list, world.fake("broken").error().required());
        let error = world.run(list).expect_err("it is required");
        let PipelineError::Unavailable {
            stage,
            component,
            retry_after,
            source,
            report,
        } = error
        else {
            panic!("{error}");
        };
        assert_eq!((stage, component, retry_after), (at, "broken", Duration::from_secs(3)));
        assert_eq!(source.reason(), "rpc");
        assert_eq!(report.degraded.len(), 1);
    }
}

#[test]
fn the_first_in_list_order_of_several_failed_required_components_is_named() {
    let world = World::default();
    let mut list = world.finding(5, posts(1..4));
    list.query_hydrators
        .push(Box::new(world.fake("slow").delay(ms(9)).error().required()));
    list.query_hydrators
        .push(Box::new(world.fake("fast").error().required()));
    let error = world.run(list).expect_err("both are required");
    assert!(
        matches!(error, PipelineError::Unavailable { component: "slow", .. }),
        "{error}"
    );
}

#[test]
fn an_overrun_is_cancelled_and_counts_as_failed() {
    for (stage, put) in PLACES {
        let world = World::default();
        let mut list = world.finding(5, posts(1..4));
        put(&mut list, world.fake("slow").delay(ms(50)).budget(ms(10)));
        let outcome = world.run(list).expect("it is not required");
        assert_eq!(world.names("cancelled"), ["slow"]);
        assert_eq!(
            outcome.report.degraded,
            [Degraded {
                stage,
                component: "slow",
                reason: "timed_out"
            }]
        );
        let entry = outcome.report.of("slow").next().expect("it ran");
        assert_eq!((&entry.status, entry.took), (&Status::TimedOut, ms(10)));
        assert_eq!(outcome.report.took, ms(10));
        assert_eq!(
            world.timer.sleepers(),
            0,
            "the cancelled future is gone, with all that it waited for"
        );
    }
}

#[test]
fn a_required_component_may_take_all_that_is_left() {
    let world = World::default();
    let mut list = world.finding(5, posts(1..4));
    let slow = |name| world.fake(name).delay(ms(60)).budget(ms(90)).required();
    list.hydrators.push(Box::new(slow("first")));
    list.scorers.push(Box::new(slow("second")));
    let error = world.run(list).expect_err("the second is required, and 40 ms are left");
    let PipelineError::Unavailable { source, report, .. } = error else {
        panic!("{error}");
    };
    assert!(matches!(source, Failure::TimedOut { limit } if limit == ms(40)));
    assert_eq!(world.names("cancelled"), ["second"]);
    assert_eq!(report.took, DEADLINE);
}

#[test]
fn one_that_hangs_and_is_not_required_takes_half_of_what_is_left() {
    for (stage, put) in PLACES {
        let world = World::default();
        let mut list = world.finding(5, posts(1..4));
        put(&mut list, world.fake("hangs").delay(ms(500)));
        put(&mut list, world.fake("hangs too").delay(ms(500)));
        list.post_filters.push(Box::new(
            world.fake("needed").delay(ms(20)).required().removes([2], "listed"),
        ));
        let outcome = world.run(list).expect("what is required has its time");
        assert_eq!(ids(outcome.selected.iter()), [1, 3], "{stage:?}");
        let took: Vec<_> = ["hangs", "hangs too", "needed"]
            .iter()
            .filter_map(|name| outcome.report.of(name).next())
            .map(|entry| entry.took)
            .collect();
        // Those of a parallel stage have the same half.
        let second = if stage == Stage::Scorer { ms(25) } else { ms(50) };
        assert_eq!(took, [ms(50), second, ms(20)], "{stage:?}");
    }
}

#[test]
fn an_answer_that_is_there_at_once_counts_when_no_time_is_left() {
    let world = World::default();
    let mut list = world.finding(5, posts(1..2));
    let timer = world.timer.clone();
    let computes = world.fake("computes").rates(move |post| {
        timer.advance(DEADLINE);
        post.score
    });
    list.scorers.push(Box::new(computes));
    list.post_filters
        .push(Box::new(world.fake("instant").required().removes([1], "listed")));
    let outcome = world.run(list).expect("nothing required fails");
    assert!(outcome.selected.is_empty(), "it was judged");
    assert_eq!(outcome.report.took, DEADLINE);
}

#[test]
fn a_request_whose_deadline_has_passed_does_nothing() {
    let world = World::default();
    world.timer.advance(ms(200));
    let request = Request::new(Query::default(), RequestId(1), ms(200));
    let error = world
        .run_with(world.finding(5, posts(1..4)), Limits::default(), request)
        .expect_err("too late");
    assert!(matches!(error, PipelineError::DeadlineExceeded));
    assert!(world.log().is_empty());
}

#[test]
fn too_few_rows_are_a_failure_and_change_nothing() {
    for (stage, put) in &PLACES[3..] {
        let world = World::default();
        let mut list = world.finding(5, posts(1..4));
        put(&mut list, world.fake("short").one_row_too_few().rates(|_| 0.5));
        let outcome = world.run(list).expect("it is not required");
        let degraded = Degraded {
            stage: *stage,
            component: "short",
            reason: "length_mismatch",
        };
        assert_eq!(outcome.report.degraded, [degraded]);
        assert_eq!(*outcome.selected, posts(1..4));
    }
}

#[test]
fn a_required_component_with_too_few_rows_fails_closed() {
    let world = World::default();
    let mut list = world.finding(5, posts(1..4));
    list.hydrators
        .push(Box::new(world.fake("short").one_row_too_few().required()));
    let limits = Limits {
        retry_after: ms(250),
        ..Limits::default()
    };
    let error = world
        .run_with(list, limits, world.request())
        .expect_err("it is required");
    let PipelineError::Unavailable {
        retry_after, source, ..
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!(retry_after, ms(250));
    assert!(matches!(source, Failure::LengthMismatch { expected: 3, got: 2 }));
}

#[test]
fn a_failed_source_costs_its_candidates_only() {
    let world = World::default();
    let mut list = world.finding(9, posts(1..4));
    list.sources.push(Box::new(
        world.fake("late").delay(ms(50)).budget(ms(20)).finds(posts(4..7)),
    ));
    list.sources.push(Box::new(world.fake("other").finds(posts(7..9))));
    let outcome = world.run(list).expect("it is not required");
    assert_eq!(ids(outcome.selected.iter()), [1, 7, 2, 8, 3]);
}

#[test]
fn a_source_is_cut_to_its_limit() {
    let world = World::default();
    let limits = Limits {
        max_per_source: 2,
        ..Limits::default()
    };
    let mut request = world.request();
    request.watch.insert(3);
    let outcome = world
        .run_with(world.finding(9, posts(1..6)), limits, request)
        .expect("nothing fails");
    assert_eq!(ids(outcome.selected.iter()), [1, 2]);
    let entry = outcome.report.of("source").next().expect("it ran");
    assert_eq!((entry.output, entry.removed["over_source_limit"]), (2, 3));
    assert_eq!(outcome.traces[0].events.len(), 2, "found and cut: {:?}", outcome.traces);
}
