//! Whatever fails, nothing is shown that must not be: each component in turn, and many random requests.

use std::collections::BTreeMap;

use covey_config::Secret;
use covey_env::Monotonic;
use covey_pipeline::{
    ComponentError, Components, Filter, Hydrator, QueryHydrator, QueryUpdate, Reply, Rows, RunContext, Scorer,
    SideEffect, SideEffectInput, Source, Stage, Verdict,
};
use covey_shared::ids::PostId;
use futures::future;

use super::*;
use crate::feed::pipeline::{assemble, components};
use crate::feed::random_world::World;
use crate::feed::testing::env;

type Q = FeedQuery;
type C = FeedCandidate;

/// Ways to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
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

struct BrokenEffect(Fault);

impl SideEffect<Q, C> for BrokenEffect {
    fn name(&self) -> &'static str {
        "ServedHistory"
    }
    fn run<'a>(&'a self, _: &'a RunContext, _: &'a SideEffectInput<Q, C>) -> Reply<'a, ()> {
        answer(self.0, has_no_rows)
    }
}

fn swap<T: ?Sized>(list: &mut Vec<Box<T>>, at: usize, fault: Fault, broken: impl FnOnce(Broken<T>) -> Box<T>) {
    let real = list.remove(at);
    list.insert(at, broken(Broken { fault, real }));
}

/// A component by its place.
#[derive(Clone, Copy, Debug)]
struct Part {
    stage: Stage,
    at: usize,
    name: &'static str,
    required: bool,
}

/// All but the selector, which cannot fail.
fn parts(list: &Components<Q, C>) -> Vec<Part> {
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
            Stage::Selector | Stage::SideEffect => false,
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
        .filter(|(stage, _)| *stage != Stage::Selector)
        .map(&mut part)
        .collect()
}

fn break_one(list: &mut Components<Q, C>, Part { stage, at, .. }: Part, fault: Fault) {
    match stage {
        Stage::QueryHydrator => swap(&mut list.query_hydrators, at, fault, |b| Box::new(b)),
        Stage::DependentQueryHydrator => swap(&mut list.dependent_query_hydrators, at, fault, |b| Box::new(b)),
        Stage::Source => swap(&mut list.sources, at, fault, |b| Box::new(b)),
        Stage::Hydrator => swap(&mut list.hydrators, at, fault, |b| Box::new(b)),
        Stage::Filter => swap(&mut list.filters, at, fault, |b| Box::new(b)),
        Stage::Scorer => swap(&mut list.scorers, at, fault, |b| Box::new(b)),
        Stage::PostHydrator => swap(&mut list.post_hydrators, at, fault, |b| Box::new(b)),
        Stage::PostFilter => swap(&mut list.post_filters, at, fault, |b| Box::new(b)),
        Stage::SideEffect => list.side_effects[at] = Arc::new(BrokenEffect(fault)),
        Stage::Selector => unreachable!("it is no part"),
    }
}

/// What all requests share.
struct Bench {
    sealer: Arc<Sealer>,
    config: Arc<Config>,
    env: Env,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    fn new() -> Bench {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        Bench {
            sealer: Arc::new(Sealer::new(&Secret::new("a"))),
            config: Arc::new(Config::default()),
            env: env(),
            runtime: runtime.expect("a runtime"),
        }
    }

    fn parts(&self, world: &World) -> Vec<Part> {
        let shards: Arc<dyn Shards> = world.shards.clone();
        parts(&components(&shards, &self.config))
    }

    fn service(&self, world: &World, broken: Option<(Part, Fault)>) -> FeedService {
        let shards: Arc<dyn Shards> = world.shards.clone();
        let (sealer, config) = (self.sealer.clone(), self.config.clone());
        let mut service = FeedService::over(shards.clone(), sealer, config, self.env.clone());
        if let Some((part, fault)) = broken {
            let mut list = components(&shards, &self.config);
            break_one(&mut list, part, fault);
            service.pipeline = assemble(list, &self.config, EnvTimer(self.env.clock.clone()));
        }
        service
    }

    /// The clock stands still: what hangs has the whole of this for itself.
    fn ask(&self, service: &FeedService, request: FeedRequest) -> Result<GetFeedReply, FeedError> {
        let context = RequestContext {
            deadline: Monotonic(Duration::from_millis(100_020)),
            trace_id: String::new(),
        };
        self.runtime.block_on(service.feed(request, &context))
    }

    fn feed(&self, world: &World, broken: Option<(Part, Fault)>) -> Result<GetFeedReply, FeedError> {
        self.ask(&self.service(world, broken), world.request.clone())
    }
}

fn degraded(reply: &GetFeedReply) -> Vec<(&str, &str)> {
    let entries = &reply.answer.as_ref().expect("every reply has an answer block").degraded;
    entries
        .iter()
        .map(|entry| (entry.component.as_str(), entry.reason.as_str()))
        .collect()
}

/// The component that broke, the way, and what came of it.
fn check(world: &World, part: Part, fault: Fault, result: Result<GetFeedReply, FeedError>) {
    let reply = match result {
        Err(FeedError::Unavailable { component, .. }) if part.required => {
            return assert_eq!(component, part.name);
        }
        Ok(reply) if !part.required => reply,
        other => panic!("{part:?}, {fault:?}: {other:?}"),
    };
    let reason = match fault {
        Fault::Error => "broken",
        Fault::Hang => "timed_out",
        Fault::Short | Fault::Blind => "length_mismatch",
    };
    // Nobody waits for a side effect.
    if part.stage != Stage::SideEffect {
        let named = degraded(&reply);
        assert!(named.contains(&(part.name, reason)), "{part:?}, {fault:?}: {named:?}");
    }
    // What was served lately is the viewer's state as this hydrator passes it on.
    let off = if part.name == "Impressions" {
        "PreviouslyServed"
    } else {
        part.name
    };
    let faults = world.faults(&reply, off);
    assert!(faults.is_empty(), "{part:?}, {fault:?}: {faults:?}");
}

#[test]
fn each_component_may_fail_in_each_way_and_the_rest_does_its_work() {
    let bench = Bench::new();
    for seed in 0..20 {
        let world = World::calm(seed);
        let whole = bench.feed(&world, None).expect("nothing fails");
        assert_eq!(
            degraded(&whole).len(),
            1,
            "seed {seed}: there is no model, and that is all"
        );
        assert_eq!(world.faults(&whole, ""), Vec::<String>::new(), "seed {seed}");
        if whole.posts.is_empty() {
            // What comes behind the filters has nothing to fail at.
            continue;
        }
        for part in bench.parts(&world) {
            let by_row = !matches!(
                part.stage,
                Stage::QueryHydrator | Stage::DependentQueryHydrator | Stage::Source | Stage::SideEffect
            );
            check(
                &world,
                part,
                Fault::Error,
                bench.feed(&world, Some((part, Fault::Error))),
            );
            if by_row {
                check(
                    &world,
                    part,
                    Fault::Short,
                    bench.feed(&world, Some((part, Fault::Short))),
                );
            }
            // Hanging takes its time.
            if seed < 3 {
                check(&world, part, Fault::Hang, bench.feed(&world, Some((part, Fault::Hang))));
            }
        }
    }
}

#[test]
fn a_rule_that_does_nothing_would_be_noticed() {
    let bench = Bench::new();
    let rules = [
        "Age",
        "SelfPost",
        "IneligibleSubscription",
        "PreviouslySeen",
        "PreviouslyServed",
        "MutedKeyword",
        "AuthorSocialgraph",
        "ContentDuplicate",
        "RetweetDedup",
        "Visibility",
    ];
    for rule in rules {
        let noticed = |seed: &u64| {
            let world = World::calm(*seed);
            let part = bench.parts(&world).into_iter().find(|part| part.name == rule);
            let part = part.expect("the pipeline has all these");
            let reply = bench.feed(&world, Some((part, Fault::Blind))).expect("nothing fails");
            !world.faults(&reply, "").is_empty()
        };
        assert!((0..200).any(|seed| noticed(&seed)), "{rule}");
    }
}

/// Requests of a run, each of a world of its own whose seed is its number; `COVEY_TEST_REQUESTS` says another number.
const REQUESTS: u64 = 5_000;

#[test]
fn no_random_request_is_shown_what_it_must_not_be() {
    let bench = Bench::new();
    let requests = std::env::var("COVEY_TEST_REQUESTS").map_or(REQUESTS, |n| n.parse().expect("a number"));
    let (mut shown, mut unavailable) = (0, 0);
    for seed in 0..requests {
        let world = World::random(seed);
        let service = bench.service(&world, None);
        let first = match bench.ask(&service, world.request.clone()) {
            Ok(reply) => reply,
            Err(FeedError::Unavailable { component, .. }) => {
                let read = match component.as_str() {
                    "Viewer" => "viewer",
                    "Verdicts" => "verdicts",
                    "MutedKeyword" => "texts",
                    other => panic!("seed {seed}: no feed without {other}"),
                };
                assert!(world.shards.down.contains(read), "seed {seed}: {read} answers");
                unavailable += 1;
                continue;
            }
            Err(other) => panic!("seed {seed}: {other}"),
        };
        assert_eq!(world.faults(&first, ""), Vec::<String>::new(), "seed {seed}");
        shown += first.posts.len();
        let next = FeedRequest {
            cursor: first.cursor.clone(),
            is_bottom_request: true,
            ..world.request.clone()
        };
        let second = bench.ask(&service, next).expect("what answered once answers again");
        assert_eq!(
            world.faults(&second, ""),
            Vec::<String>::new(),
            "seed {seed}, second page"
        );
        let again = second
            .posts
            .iter()
            .find(|post| first.posts.iter().any(|other| other.post_id == post.post_id));
        assert_eq!(
            again.map(|post| PostId(post.post_id)),
            None,
            "seed {seed}: shown on both pages"
        );
    }
    assert!(
        shown as u64 > requests && unavailable > 0,
        "{shown} posts, {unavailable} refused"
    );
}
