//! For tests: components of the feed that fail.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use covey_pipeline::{
    ComponentError, Components, Filter, Hydrator, QueryHydrator, QueryUpdate, Reply, Rows, RunContext, Scorer,
    SideEffect, SideEffectInput, Source, Stage, Verdict,
};
use futures::future;

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;

type Q = FeedQuery;
type C = FeedCandidate;

/// Ways to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Error,
    Hang,
    /// One row less than there are candidates.
    Short,
    /// A filter that lets everything pass: no failure, but what tests of tests are made of.
    Blind,
}

/// A component that fails; all that it says of itself is true.
struct Broken<T: ?Sized> {
    fault: Fault,
    real: Box<T>,
}

/// The answer of a broken component; `short` is the one with a row less.
fn answer<'a, T: Send + 'a>(fault: Fault, short: impl FnOnce() -> T) -> Reply<'a, T> {
    match fault {
        Fault::Error => Box::pin(future::ready(Err(ComponentError::new("broken")))),
        Fault::Hang => Box::pin(future::pending()),
        Fault::Short | Fault::Blind => Box::pin(future::ready(Ok(short()))),
    }
}

fn has_no_rows<T>() -> T {
    unreachable!("only what answers row by row can be short")
}

macro_rules! as_the_real_one {
    () => {
        fn name(&self) -> &'static str {
            self.real.name()
        }
        fn enable(&self, query: &Q) -> bool {
            self.real.enable(query)
        }
        fn budget(&self) -> Duration {
            self.real.budget()
        }
        fn required(&self) -> bool {
            self.real.required()
        }
    };
}

impl QueryHydrator<Q> for Broken<dyn QueryHydrator<Q>> {
    as_the_real_one!();
    fn hydrate<'a>(&'a self, _: &'a RunContext, _: &'a Q) -> Reply<'a, QueryUpdate<Q>> {
        answer(self.fault, has_no_rows)
    }
}

impl Source<Q, C> for Broken<dyn Source<Q, C>> {
    as_the_real_one!();
    fn find<'a>(&'a self, _: &'a RunContext, _: &'a Q) -> Reply<'a, Vec<C>> {
        answer(self.fault, has_no_rows)
    }
}

impl Hydrator<Q, C> for Broken<dyn Hydrator<Q, C>> {
    as_the_real_one!();
    fn hydrate<'a>(&'a self, _: &'a RunContext, _: &'a Q, posts: &'a [C]) -> Reply<'a, Rows<C>> {
        answer(self.fault, || Rows::all(vec![(); posts.len() - 1], |_, ()| {}))
    }
}

impl Filter<Q, C> for Broken<dyn Filter<Q, C>> {
    as_the_real_one!();
    fn filter<'a>(&'a self, _: &'a RunContext, _: &'a Q, posts: &'a mut [C]) -> Reply<'a, Vec<Verdict>> {
        let missing = usize::from(self.fault != Fault::Blind);
        answer(self.fault, || vec![Verdict::Keep; posts.len() - missing])
    }
}

impl Scorer<Q, C> for Broken<dyn Scorer<Q, C>> {
    as_the_real_one!();
    fn score<'a>(&'a self, _: &'a RunContext, _: &'a Q, posts: &'a [C]) -> Reply<'a, Rows<C>> {
        answer(self.fault, || Rows::all(vec![(); posts.len() - 1], |_, ()| {}))
    }
}

struct BrokenEffect {
    fault: Fault,
    /// That of the real one.
    name: &'static str,
}

impl SideEffect<Q, C> for BrokenEffect {
    fn name(&self) -> &'static str {
        self.name
    }
    fn run<'a>(&'a self, _: &'a RunContext, _: &'a SideEffectInput<Q, C>) -> Reply<'a, ()> {
        answer(self.fault, has_no_rows)
    }
}

fn swap<T: ?Sized>(list: &mut Vec<Box<T>>, at: usize, fault: Fault, broken: impl FnOnce(Broken<T>) -> Box<T>) {
    let real = list.remove(at);
    list.insert(at, broken(Broken { fault, real }));
}

/// A component by its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) stage: Stage,
    at: usize,
    pub(crate) name: &'static str,
    pub(crate) required: bool,
}

impl Part {
    /// It answers row by row, so that one may be missing.
    pub(crate) fn by_row(&self) -> bool {
        !matches!(
            self.stage,
            Stage::QueryHydrator | Stage::DependentQueryHydrator | Stage::Source | Stage::SideEffect
        )
    }
}

/// All but the selector and the arranger, which cannot fail.
pub(crate) fn parts(list: &Components<Q, C>) -> Vec<Part> {
    let mut next: BTreeMap<Stage, usize> = BTreeMap::new();
    let mut part = |(stage, name)| {
        let place = next.entry(stage).or_default();
        let at = std::mem::replace(place, *place + 1);
        let required = match stage {
            Stage::QueryHydrator => list.query_hydrators[at].required(),
            Stage::DependentQueryHydrator => list.dependent_query_hydrators[at].required(),
            Stage::Source => list.sources[at].required(),
            Stage::Hydrator => list.hydrators[at].required(),
            Stage::Filter => list.filters[at].required(),
            Stage::Scorer => list.scorers[at].required(),
            Stage::PostHydrator => list.post_hydrators[at].required(),
            Stage::PostFilter => list.post_filters[at].required(),
            Stage::Selector | Stage::Arranger | Stage::SideEffect => false,
        };
        Part {
            stage,
            at,
            name,
            required,
        }
    };
    let names = list.names().into_iter();
    names
        .filter(|(stage, _)| !matches!(stage, Stage::Selector | Stage::Arranger))
        .map(&mut part)
        .collect()
}

pub(crate) fn break_one(list: &mut Components<Q, C>, Part { stage, at, .. }: Part, fault: Fault) {
    match stage {
        Stage::QueryHydrator => swap(&mut list.query_hydrators, at, fault, |b| Box::new(b)),
        Stage::DependentQueryHydrator => swap(&mut list.dependent_query_hydrators, at, fault, |b| Box::new(b)),
        Stage::Source => swap(&mut list.sources, at, fault, |b| Box::new(b)),
        Stage::Hydrator => swap(&mut list.hydrators, at, fault, |b| Box::new(b)),
        Stage::Filter => swap(&mut list.filters, at, fault, |b| Box::new(b)),
        Stage::Scorer => swap(&mut list.scorers, at, fault, |b| Box::new(b)),
        Stage::PostHydrator => swap(&mut list.post_hydrators, at, fault, |b| Box::new(b)),
        Stage::PostFilter => swap(&mut list.post_filters, at, fault, |b| Box::new(b)),
        Stage::SideEffect => {
            let name = list.side_effects[at].name();
            list.side_effects[at] = Arc::new(BrokenEffect { fault, name });
        }
        Stage::Selector | Stage::Arranger => unreachable!("they are no parts"),
    }
}
