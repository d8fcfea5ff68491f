//! Side effects.

use std::sync::Arc;

use crate::testing::{ManualTimer, World, ms, posts};
use crate::{EffectStats, Limits, SIDE_EFFECT_BUDGET, Status};

fn drive_all(timer: &ManualTimer, tasks: Vec<futures::future::BoxFuture<'static, ()>>) {
    timer.drive(futures::future::join_all(tasks));
}

#[test]
fn side_effects_run_after_the_reply_and_see_what_was_served() {
    let world = World::default();
    let mut list = world.finding(5, posts(1..4));
    list.side_effects.push(Arc::new(
        world.fake("history").delay(ms(400)).budget(SIDE_EFFECT_BUDGET),
    ));
    let pipeline = world.pipeline(list, Limits::default());
    let outcome = world.serve(&pipeline, world.request()).expect("nothing fails");
    assert_eq!(outcome.report.took, ms(0));
    assert_eq!(
        outcome.report.of("history").next().map(|entry| &entry.status),
        Some(&Status::Ok)
    );
    assert!(!world.names("start").contains(&"history".to_owned()));
    assert_eq!(world.effects.stats().in_flight, 1);
    drive_all(&world.timer, world.tasks.take());
    assert_eq!(
        world.names("served"),
        ["[1, 2, 3]"],
        "the request's deadline does not cut it"
    );
    assert_eq!(
        world.effects.stats(),
        EffectStats {
            in_flight: 0,
            done: 1,
            failed: 0,
            dropped: 0
        }
    );
}

#[test]
fn side_effects_beyond_the_permits_are_dropped_and_counted() {
    let world = World::permitting(2);
    let mut list = world.finding(5, posts(1..4));
    for name in ["e1", "e2", "e3"] {
        list.side_effects.push(Arc::new(world.fake(name)));
    }
    let pipeline = world.pipeline(list, Limits::default());
    let outcome = world.serve(&pipeline, world.request()).expect("nothing fails");
    assert_eq!(outcome.report.side_effects_dropped, 1);
    assert_eq!(
        outcome.report.of("e3").next().map(|entry| &entry.status),
        Some(&Status::Skipped("no_permit"))
    );
    assert!(outcome.report.degraded.is_empty(), "the answer is as good as ever");
    drop(world.tasks.take());
    let stats = world.effects.stats();
    assert_eq!(
        stats,
        EffectStats {
            in_flight: 0,
            done: 0,
            failed: 0,
            dropped: 1
        },
        "a lost task gives its permit back"
    );
    let again = world.serve(&pipeline, world.request()).expect("nothing fails");
    assert_eq!(again.report.side_effects_dropped, 1);
    // What takes its place has no permits of its own.
    let mut list = world.finding(5, posts(1..4));
    list.side_effects.push(Arc::new(world.fake("e4")));
    let next = world.pipeline(list, Limits::default());
    let outcome = world.serve(&next, world.request()).expect("nothing fails");
    assert_eq!(
        (outcome.report.side_effects_dropped, world.effects.stats().dropped),
        (1, 3)
    );
}

#[test]
fn a_failing_or_endless_side_effect_is_counted_and_ends() {
    let world = World::default();
    let mut list = world.finding(5, posts(1..4));
    list.side_effects.push(Arc::new(world.fake("broken").error()));
    list.side_effects
        .push(Arc::new(world.fake("endless").delay(ms(3_600_000)).budget(ms(700))));
    let pipeline = world.pipeline(list, Limits::default());
    world
        .serve(&pipeline, world.request())
        .expect("side effects fail no run");
    drive_all(&world.timer, world.tasks.take());
    assert_eq!(world.names("cancelled"), ["endless"]);
    assert_eq!(
        world.effects.stats(),
        EffectStats {
            in_flight: 0,
            done: 0,
            failed: 2,
            dropped: 0
        }
    );
}

#[test]
fn what_nobody_is_shown_has_no_side_effects() {
    let world = World::default();
    let mut list = world.finding(5, posts(1..4));
    list.side_effects.push(Arc::new(world.fake("history")));
    let pipeline = world.pipeline(list, Limits::default());
    let mut outcome = world.timer.drive(pipeline.run(world.request())).expect("nothing fails");
    assert!(world.tasks.take().is_empty());
    assert_eq!(outcome.candidates().count(), 3);
    pipeline.start_side_effects(&mut outcome);
    assert_eq!(world.tasks.take().len(), 1, "it is shown after all");
}

#[test]
fn a_run_that_fails_has_no_side_effects() {
    let world = World::default();
    let mut list = world.finding(5, posts(1..4));
    list.query_hydrators
        .push(Box::new(world.fake("broken").error().required()));
    list.side_effects.push(Arc::new(world.fake("history")));
    world.run(list).expect_err("it is required");
    assert!(world.tasks.take().is_empty());
}
