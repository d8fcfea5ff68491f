//! What tests of the pipeline share: candidates, queries, a clock that stands still.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use covey_config::{Config, Metric};
use covey_env::{Clock, Entropy, Env, Monotonic};
use covey_pipeline::{Components, Filter, Hydrator, RequestId, RunContext, Scorer, Verdict};
use covey_shared::ids::{LogIndex, PostId, PostKey, UnixMillis, UserId, Version};
use covey_shared::model::{ActionKind, Topics};
use covey_shared::score::Score;
use covey_shared::session::SessionToken;
use covey_shared::wire::{self, CandidateFlags, Engagement, ViewerAction, ViewerState};

use crate::feed::candidate::{Channel, FeedCandidate};
use crate::feed::ledger::Ledger;
use crate::feed::query::{FeedQuery, Impressions, KnownIds, UserFeatures};
use crate::feed::runtime::EnvTimer;
use crate::ranking::l1::L1;

pub(crate) const VIEWER: UserId = UserId(1);
/// The moment of every test.
pub(crate) const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
pub(crate) const MINUTE: u64 = 60_000;

pub(crate) fn key(author: u64, post: u64) -> PostKey {
    PostKey {
        author: UserId(author),
        post: PostId(post),
    }
}

pub(crate) fn ago(ms: u64) -> UnixMillis {
    UnixMillis(NOW.0 - ms)
}

/// A post with text, one minute old.
pub(crate) fn core(author: u64, post: u64) -> wire::Candidate {
    wire::Candidate {
        key: key(author, post),
        version: Version(1),
        created_at: ago(MINUTE),
        reply_to: PostKey::default(),
        repost_of: PostKey::default(),
        quote_of: PostKey::default(),
        conversation: PostId(0),
        labels: 0,
        video_ms: 0,
        language: Default::default(),
        flags: CandidateFlags(CandidateFlags::HAS_CONTENT),
        source_score: Score::default(),
        engagement: Engagement::default(),
        simhash: 0,
        topics: Topics::default(),
    }
}

/// The same as the first of the channel Popular.
pub(crate) fn post(author: u64, post: u64) -> FeedCandidate {
    FeedCandidate::found(core(author, post), Channel::Popular, 1)
}

pub(crate) fn repost(author: u64, id: u64, of: PostKey) -> FeedCandidate {
    let mut post = post(author, id);
    post.core.repost_of = of;
    post.core.flags = CandidateFlags(0);
    post
}

pub(crate) fn action(kind: ActionKind, post: PostKey, at: UnixMillis) -> ViewerAction {
    ViewerAction {
        kind,
        post,
        at,
        dwell_ms: 0,
        surface: 1,
    }
}

/// A hydrated query of a viewer who follows nobody.
pub(crate) fn query() -> FeedQuery {
    FeedQuery {
        viewer: VIEWER,
        asked: Vec::new(),
        config: LogIndex(0),
        now: NOW,
        oldest: Some(ago(48 * 60 * MINUTE)),
        client_language: Default::default(),
        client_country: [0; 2],
        in_network_only: false,
        video_only: false,
        seen_ids: Vec::new(),
        served_ids: Vec::new(),
        known: KnownIds::default(),
        client_blooms: Vec::new(),
        record: true,
        following: None,
        first_page: true,
        resumed: false,
        token: SessionToken::default(),
        ledger: Arc::new(Ledger::default()),
        state: Some(Arc::new(ViewerState::default())),
        features: Some(UserFeatures::default()),
        sequence: Vec::new(),
        affinity: BTreeMap::new(),
        impressions: Impressions::default(),
        liked: Arc::default(),
        lists: Arc::default(),
    }
}

/// The first score with the weights of the defaults.
pub(crate) fn l1() -> L1 {
    let config = Config::default();
    L1 {
        weights: config.feed.l1,
        metric: Metric::InnerProduct,
    }
}

/// A clock that stands still at [`NOW`].
struct Still;

impl Clock for Still {
    fn monotonic(&self) -> Monotonic {
        Monotonic(Duration::from_secs(100))
    }

    fn unix_ms(&self) -> u64 {
        NOW.0
    }

    fn rpc_deadline(&self, _: Duration) -> Instant {
        unreachable!("tests of the pipeline make no calls")
    }
}

/// A clock that goes with tokio's time, and says [`NOW`] all the same. Made inside a runtime.
struct Moving(tokio::time::Instant);

impl Clock for Moving {
    fn monotonic(&self) -> Monotonic {
        Monotonic(Still.monotonic().0 + self.0.elapsed())
    }

    fn unix_ms(&self) -> u64 {
        NOW.0
    }

    fn rpc_deadline(&self, after: Duration) -> Instant {
        Still.rpc_deadline(after)
    }
}

/// Counts up.
#[derive(Default)]
struct Counting(std::sync::atomic::AtomicU64);

impl Entropy for Counting {
    fn next_u64(&self) -> u64 {
        self.0.fetch_add(2, std::sync::atomic::Ordering::Relaxed)
    }
}

pub(crate) fn env() -> Env {
    let production = Env::production(1).expect("a machine that runs tests has a thread to spare");
    Env {
        clock: Arc::new(Still),
        entropy: Arc::new(Counting::default()),
        ..production
    }
}

/// The same with a clock that moves as tokio's does; a timer is what tells its time.
pub(crate) fn moving_env() -> Env {
    Env {
        clock: Arc::new(Moving(tokio::time::sleep(Duration::ZERO).deadline())),
        ..env()
    }
}

pub(crate) fn run_context() -> RunContext {
    RunContext::new(
        RequestId(7),
        Duration::from_secs(101),
        Arc::new(EnvTimer(Arc::new(Still))),
    )
}

/// What a filter says about these posts.
pub(crate) fn verdicts(
    filter: &dyn Filter<FeedQuery, FeedCandidate>,
    query: &FeedQuery,
    posts: &mut [FeedCandidate],
) -> Vec<Verdict> {
    let run = run_context();
    let reply = futures::executor::block_on(filter.filter(&run, query, posts));
    reply.expect("filters of the feed do not fail")
}

pub(crate) fn keep_or(reasons: &[&'static str]) -> Vec<Verdict> {
    let verdict = |reason: &&'static str| {
        if reason.is_empty() {
            Verdict::Keep
        } else {
            Verdict::Remove(reason)
        }
    };
    reasons.iter().map(verdict).collect()
}

/// Runs a scorer, as only the framework can apply its rows.
pub(crate) fn scored(
    scorer: impl Scorer<FeedQuery, FeedCandidate> + 'static,
    posts: Vec<FeedCandidate>,
) -> Vec<FeedCandidate> {
    let scorers: Vec<Box<dyn Scorer<FeedQuery, FeedCandidate>>> = vec![Box::new(scorer)];
    run_alone(|components| components.scorers = scorers, query(), posts)
}

/// Runs a hydrator, as only the framework can apply its rows.
pub(crate) fn hydrated(
    hydrator: impl Hydrator<FeedQuery, FeedCandidate> + 'static,
    query: FeedQuery,
    posts: Vec<FeedCandidate>,
) -> Vec<FeedCandidate> {
    let hydrators: Vec<Box<dyn Hydrator<FeedQuery, FeedCandidate>>> = vec![Box::new(hydrator)];
    run_alone(|components| components.hydrators = hydrators, query, posts)
}

fn run_alone(
    with: impl FnOnce(&mut Components<FeedQuery, FeedCandidate>),
    query: FeedQuery,
    posts: Vec<FeedCandidate>,
) -> Vec<FeedCandidate> {
    struct Keep;
    impl covey_pipeline::Selector<FeedQuery, FeedCandidate> for Keep {
        fn enable(&self, _: &FeedQuery) -> bool {
            false
        }
        fn score(&self, post: &FeedCandidate) -> covey_pipeline::Score {
            post.score
        }
        fn size(&self) -> usize {
            1000
        }
    }
    let mut components = Components::new(Box::new(Keep));
    components.sources = vec![Box::new(Fixed(posts))];
    with(&mut components);
    let limits = covey_pipeline::Limits {
        result_size: 1000,
        ..Default::default()
    };
    let timer = Arc::new(EnvTimer(Arc::new(Still)));
    let spawner = Arc::new(crate::feed::runtime::TokioSpawner);
    let effects = Arc::new(covey_pipeline::EffectPool::new(0, spawner));
    let pipeline = covey_pipeline::Pipeline::new(components, limits, timer, effects).expect("the list is valid");
    let request = covey_pipeline::Request::new(query, RequestId(1), Duration::MAX);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let outcome = runtime
        .block_on(pipeline.run(request))
        .expect("nothing in it is required");
    outcome.selected.to_vec()
}

struct Fixed(Vec<FeedCandidate>);

impl covey_pipeline::Source<FeedQuery, FeedCandidate> for Fixed {
    fn find<'a>(&'a self, _: &'a RunContext, _: &'a FeedQuery) -> covey_pipeline::Reply<'a, Vec<FeedCandidate>> {
        covey_pipeline::ready(self.0.clone())
    }
}
