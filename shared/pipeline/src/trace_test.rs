//! `explain` and spans.

use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::testing::{World, ids, posts};
use crate::{Components, Fate, Limits, Request, Score, Stage, TraceEvent};

fn watched(world: &World) -> crate::Outcome<crate::testing::Query, crate::testing::Post> {
    let list = Components {
        filters: vec![Box::new(world.fake("seen").removes([4], "seen"))],
        scorers: vec![
            Box::new(world.fake("model").rates(|post| post.id as f64)),
            Box::new(
                world
                    .fake("diversity")
                    .rates(|post| if post.id == 5 { 0.5 } else { post.score }),
            ),
        ],
        post_filters: vec![Box::new(world.fake("visibility").removes([6], "label"))],
        ..world.finding(2, posts(1..7))
    };
    let watch = [2, 3, 4, 5, 6, 99].into();
    let limits = Limits {
        result_size: 2,
        ..Limits::default()
    };
    world
        .run_with(
            list,
            limits,
            Request {
                watch,
                ..world.request()
            },
        )
        .expect("nothing fails")
}

#[test]
fn a_watched_candidate_can_be_followed_from_source_to_end() {
    let outcome = watched(&World::default());
    assert_eq!(ids(outcome.selected.iter()), [3, 2]);
    let events = |id| {
        &outcome
            .traces
            .iter()
            .find(|trace| trace.id == id)
            .expect("it was asked for")
            .events
    };
    let score = |x| Score::new(x).expect("no NaN");
    let expected = [
        TraceEvent::Found {
            source: "source",
            position: 2,
        },
        TraceEvent::Scored {
            scorer: "model",
            score: score(2.0),
            rank: 4,
        },
        TraceEvent::Scored {
            scorer: "diversity",
            score: score(2.0),
            rank: 3,
        },
        TraceEvent::Ranked { rank: 3, slate: false },
        TraceEvent::Backfilled { round: 1 },
        TraceEvent::Selected { position: 2 },
    ];
    assert_eq!(*events(2), expected);
    let removed = |stage, component, reason| TraceEvent::Removed {
        stage,
        component,
        reason,
        round: 0,
    };
    assert_eq!(events(4).last(), Some(&removed(Stage::Filter, "seen", "seen")));
    assert_eq!(
        events(6).last(),
        Some(&removed(Stage::PostFilter, "visibility", "label"))
    );
    assert_eq!(events(5).last(), Some(&TraceEvent::Reserved { position: 2 }));
    assert!(events(99).is_empty());
    assert!(
        serde_json::to_string(&outcome.traces)
            .expect("plain data")
            .contains("\"rank\":4")
    );
}

#[test]
fn the_end_of_any_candidate_is_known_without_watching_it() {
    let outcome = watched(&World::default());
    assert_eq!(outcome.fate(&3), Fate::Selected(1));
    assert_eq!(outcome.fate(&1), Fate::Reserved(1));
    assert_eq!(
        outcome.fate(&4),
        Fate::Removed {
            stage: Stage::Filter,
            component: "seen",
            reason: "seen"
        }
    );
    assert_eq!(outcome.fate(&99), Fate::NotRetrieved);
}

/// Notes each new span as `parent/name`, with the names of components and stages.
#[derive(Default)]
struct Spans {
    names: Mutex<Vec<String>>,
    entered: Mutex<Vec<u64>>,
}

struct Label(String);

impl Visit for Label {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "otel.name" {
            value.clone_into(&mut self.0);
        }
    }
    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

struct Shared(Arc<Spans>);

impl Subscriber for Shared {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut label = Label(span.metadata().name().to_owned());
        span.record(&mut label);
        let mut names = self.0.names.lock().expect("no panic with the lock");
        let entered = self.0.entered.lock().expect("no panic with the lock");
        let parent = entered
            .last()
            .filter(|_| span.is_contextual())
            .map_or("", |id| &names[*id as usize - 1])
            .to_owned();
        names.push(format!("{parent}/{}", label.0));
        Id::from_u64(names.len() as u64)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, span: &Id) {
        self.0
            .entered
            .lock()
            .expect("no panic with the lock")
            .push(span.into_u64());
    }
    fn exit(&self, _: &Id) {
        self.0.entered.lock().expect("no panic with the lock").pop();
    }
}

#[test]
fn every_component_has_a_span_under_its_stage_in_one_trace() {
    let spans = Arc::new(Spans::default());
    tracing::subscriber::with_default(Shared(Arc::clone(&spans)), || {
        // Other tests run the same code without a subscriber: whether anybody wants a span is remembered per call site, by
        // whoever comes first. The first run makes all of them known, and then all are asked again.
        watched(&World::default());
        tracing::callsite::rebuild_interest_cache();
        spans.names.lock().expect("no panic with the lock").clear();
        watched(&World::default());
    });
    let names = spans.names.lock().expect("no panic with the lock");
    for expected in [
        "/pipeline",
        "/pipeline/source",
        "/pipeline/source/source",
        "/pipeline/filter/seen",
    ] {
        assert!(names.iter().any(|name| name == expected), "{expected} in {names:?}");
    }
    for expected in [
        "/pipeline/scorer/model",
        "/pipeline/selector",
        "/pipeline/post_filter/visibility",
    ] {
        assert!(names.iter().any(|name| name == expected), "{expected} in {names:?}");
    }
    assert!(names.iter().all(|name| name.starts_with("/pipeline")), "{names:?}");
}
