//! Which lists make a pipeline.

use std::sync::Arc;

use crate::testing::{World, posts};
use crate::{BuildError, Components, Limits, Pipeline, Stage};

fn build(world: &World, list: Components<crate::testing::Query, crate::testing::Post>, limits: Limits) -> BuildError {
    let (timer, effects) = (Arc::clone(&world.timer), Arc::clone(&world.effects));
    Pipeline::new(list, limits, timer, effects)
        .err()
        .expect("the list or a limit is wrong")
}

#[test]
fn two_components_of_a_stage_cannot_share_a_name() {
    let world = World::default();
    let mut list = world.finding(5, posts(1..4));
    list.filters.push(Box::new(world.fake("twin")));
    list.post_filters.push(Box::new(world.fake("twin")));
    world.pipeline(list, Limits::default());
    let mut list = world.finding(5, posts(1..4));
    list.filters.push(Box::new(world.fake("twin")));
    list.filters.push(Box::new(world.fake("twin")));
    let error = build(&world, list, Limits::default());
    assert_eq!(
        error,
        BuildError::DuplicateName {
            stage: Stage::Filter,
            name: "twin"
        }
    );
}

#[test]
fn a_limit_of_zero_is_refused() {
    let world = World::default();
    let limits = Limits {
        result_size: 0,
        ..Limits::default()
    };
    let error = build(&world, world.finding(5, posts(1..4)), limits);
    assert_eq!(error, BuildError::ZeroLimit { limit: "result_size" });
    let limits = Limits {
        max_per_source: 0,
        ..Limits::default()
    };
    let error = build(&world, world.finding(5, posts(1..4)), limits);
    assert_eq!(
        error,
        BuildError::ZeroLimit {
            limit: "max_per_source"
        }
    );
}

#[test]
fn the_names_of_a_pipeline_come_in_the_order_of_a_run() {
    let world = World::default();
    let mut list = world.finding(5, posts(1..4));
    list.side_effects.push(Arc::new(world.fake("history")));
    list.query_hydrators.push(Box::new(world.fake("features")));
    let pipeline = world.pipeline(list, Limits::default());
    let expected = [
        (Stage::QueryHydrator, "features"),
        (Stage::Source, "source"),
        (Stage::Selector, "ByScore"),
        (Stage::SideEffect, "history"),
    ];
    assert_eq!(pipeline.components().names(), expected);
}
