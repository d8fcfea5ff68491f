//! Whatever fails, nothing is shown that must not be: each component in turn, and many random requests.

use std::collections::BTreeSet;
use std::time::Duration;

use covey_api::v1;
use covey_config::{CapPer, RuleAction, RuleList, RuleMatch, Secret};
use covey_env::Monotonic;
use covey_pipeline::Stage;
use covey_shared::ids::PostId;

use super::*;
use crate::feed::broken::{Fault, Part, break_one, parts};
use crate::feed::fake_ranker::by_id;
use crate::feed::following::KEPT;
use crate::feed::pipeline::{assemble, components};
use crate::feed::random_world::{MOST_OF_AN_AUTHOR, World};
use crate::feed::testing::env;
use crate::rules::testing::{cap, inject, pin, rule};

/// What all requests share.
struct Bench {
    sealer: Arc<Sealer>,
    config: Arc<Config>,
    ranker: Arc<dyn Ranker>,
    env: Env,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    fn new() -> Bench {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        Bench {
            sealer: Arc::new(Sealer::new(&Secret::new("a"))),
            config: Arc::new(with_rules()),
            ranker: by_id(),
            env: env(),
            runtime: runtime.expect("a runtime"),
        }
    }

    fn lasting(&self, world: &World) -> Lasting {
        Lasting {
            ranker: Some(self.ranker.clone()),
            ..Lasting::over(world.shards.clone(), &self.env)
        }
    }

    fn parts(&self, world: &World) -> Vec<Part> {
        parts(&components(&self.lasting(world), &self.config))
    }

    fn service(&self, world: &World, broken: Option<(Part, Fault)>) -> FeedService {
        let (sealer, config) = (self.sealer.clone(), self.config.clone());
        let service =
            FeedService::over(world.shards.clone(), sealer, config, self.env.clone()).ranked_by(self.ranker.clone());
        if let Some((part, fault)) = broken {
            let lasting = self.lasting(world);
            let mut list = components(&lasting, &self.config);
            break_one(&mut list, part, fault);
            service.run_through(assemble(list, &self.config, &lasting));
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

/// Of 48 posts at most: most runs leave a reserve.
const TOP_K: usize = 6;

/// One of each kind, so that what applies them is on.
fn with_rules() -> Config {
    let mut config = Config::default();
    config.feed.top_k = TOP_K;
    let is = |in_network| RuleMatch {
        in_network: Some(in_network),
        ..RuleMatch::default()
    };
    config.feed.rules = RuleList(vec![
        rule("more", RuleAction::Boost { factor: 1.5 }, is(true)),
        pin("first", 2, is(false)),
        inject("soon", 3, is(false)),
        cap("two", CapPer::Author, MOST_OF_AN_AUTHOR),
    ]);
    config
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
    let mut tried = 0;
    for seed in 0..20 {
        let world = World::calm(seed);
        let whole = bench.feed(&world, None).expect("nothing fails");
        assert_eq!(degraded(&whole), [], "seed {seed}");
        assert_eq!(world.faults(&whole, ""), Vec::<String>::new(), "seed {seed}");
        if whole.posts.is_empty() {
            // What comes behind the filters has nothing to fail at.
            continue;
        }
        tried += 1;
        for part in bench.parts(&world) {
            // Hanging takes its time.
            let faults = [
                (Fault::Error, true),
                (Fault::Short, part.by_row()),
                (Fault::Hang, tried <= 3),
            ];
            for (fault, _) in faults.into_iter().filter(|(_, tried)| *tried) {
                check(&world, part, fault, bench.feed(&world, Some((part, fault))));
            }
        }
    }
    assert!(tried >= 10, "{tried} of 20 worlds have a feed");
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

/// What happened in many runs.
#[derive(Debug, Default)]
struct Tally {
    shown: usize,
    pages: u64,
    unavailable: u64,
    /// Pages that were filled up.
    backfilled: u64,
    /// Pages for which a rule had a post judged that ranks below the slate.
    called_up: u64,
}

impl Tally {
    fn count(&mut self, reply: &GetFeedReply) {
        let took = |stage: &&v1::StageReport| stage.component == "TopK" && stage.candidates_out as usize > TOP_K;
        self.pages += 1;
        self.shown += reply.posts.len();
        self.backfilled += u64::from(reply.stages.iter().any(|stage| stage.stage.contains("backfill")));
        self.called_up += u64::from(reply.stages.iter().any(|stage| took(&stage)));
    }
}

#[test]
fn no_random_request_is_shown_what_it_must_not_be_on_any_page() {
    let bench = Bench::new();
    let requests = std::env::var("COVEY_TEST_REQUESTS").map_or(REQUESTS, |n| n.parse().expect("a number"));
    let mut tally = Tally::default();
    for seed in 0..requests {
        let world = World::random(seed);
        let service = bench.service(&world, None);
        let mut request = FeedRequest {
            explain: true,
            ..world.request.clone()
        };
        let mut seen = BTreeSet::new();
        loop {
            let reply = match bench.ask(&service, request.clone()) {
                Ok(reply) => reply,
                // What answered once answers again.
                Err(FeedError::Unavailable { component, .. }) if seen.is_empty() => {
                    let read = match component.as_str() {
                        "Viewer" => "viewer",
                        "Verdicts" => "verdicts",
                        "MutedKeyword" => "texts",
                        other => panic!("seed {seed}: no feed without {other}"),
                    };
                    assert!(world.shards.down.contains(read), "seed {seed}: {read} answers");
                    tally.unavailable += 1;
                    break;
                }
                Err(other) => panic!("seed {seed}: {other}"),
            };
            assert_eq!(world.faults(&reply, ""), Vec::<String>::new(), "seed {seed}: {seen:?}");
            let again = reply.posts.iter().find(|post| !seen.insert(post.post_id));
            assert_eq!(again.map(|post| post.post_id), None, "seed {seed}: shown on two pages");
            tally.count(&reply);
            if reply.cursor.is_empty() {
                break;
            }
            (request.cursor, request.is_bottom_request) = (reply.cursor, true);
        }
    }
    assert!(
        tally.shown as u64 > requests && tally.pages > requests && tally.unavailable > 0,
        "{tally:?}"
    );
    assert!(tally.backfilled > 0 && tally.called_up > 0, "{tally:?}");
}

#[test]
fn no_page_of_a_random_following_feed_shows_what_it_must_not_or_repeats_a_post() {
    let bench = Bench::new();
    let (mut shown, mut pages) = (0, 0);
    for seed in 0..2_000 {
        let world = World::random(seed);
        let service = bench.service(&world, None);
        let mut request = FeedRequest {
            kind: FeedKind::Following,
            limit: 4,
            ..world.request.clone()
        };
        let mut seen = BTreeSet::new();
        loop {
            let reply = match bench.ask(&service, request.clone()) {
                Ok(reply) => reply,
                Err(FeedError::Unavailable { component, .. }) => {
                    let required = ["Viewer", "Following", "MutedKeyword", "Verdicts"];
                    assert!(required.contains(&component.as_str()), "seed {seed}: {component}");
                    break;
                }
                Err(other) => panic!("seed {seed}: {other}"),
            };
            for post in &reply.posts {
                let broken = world.forbidden_by(PostId(post.post_id));
                let kept = broken.iter().find(|rule| KEPT.contains(rule));
                assert_eq!(kept, None, "seed {seed}: {post:?}");
                assert!(seen.insert(post.post_id), "seed {seed}: {} again", post.post_id);
            }
            pages += 1;
            let whole = reply.answer.as_ref().is_some_and(|answer| answer.coverage == 1.0);
            assert!(whole || !reply.cursor.is_empty(), "seed {seed}: it looks like the end");
            if reply.cursor.is_empty() || reply.cursor == request.cursor {
                break;
            }
            (request.cursor, request.is_bottom_request) = (reply.cursor, true);
        }
        shown += seen.len();
    }
    assert!(shown > 4_000 && pages > 4_000, "{shown} posts on {pages} pages");
}
