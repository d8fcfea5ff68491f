//! Coordinators, each with clients that search, ask for verdicts and feeds, and have authors block viewers. A coordinator ends at times,
//! and the next one begins with what the configuration says.
//!
//! A request carries the token of all that was acknowledged or read before, so that it is known what a complete answer holds. Some, for
//! what is safe to show, carry none: all the same they see what lies longer back than a verdict may.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use covey_config::Config;
use covey_coordinator::cluster::{Cluster, ReadContext, SearchAsk, Threads, VerdictAsk};
use covey_coordinator::feed::{Deps, FeedRequest, FeedService};
use covey_coordinator::ingest::Ingest;
use covey_coordinator::{RequestContext, Sealer, node_ports};
use covey_env::{Env, Monotonic};
use covey_rpc::NodeClient;
use covey_shared::command::ShardCommand;
use covey_shared::ids::{PostId, PostKey, UserId, Version};
use covey_shared::layout::Layout;
use covey_shared::model::{EdgeKind, EdgeUpdate, UserUpdate};
use covey_shared::session::{Seen, SessionToken};
use covey_shared::slots::Slot;
use covey_shared::wire::SearchFilter;

use crate::client::{self, CLASSES, clients, layout, replicate};
use crate::cluster::config_on;
use crate::env::{HostWorld, env};
use crate::history::Shared;
use crate::invariants::{self, Asked, Searched};
use crate::process::End;

/// Time for one request, in milliseconds: mostly enough.
const REQUEST_MS: u64 = 2_000;
/// The same for some: what is there by then is the answer.
const SHORT_MS: u64 = 120;
/// A block whose outcome is not known after this time stays unknown.
const PATIENCE: Duration = Duration::from_secs(4);
/// Longest life of a coordinator.
const LIFE_MS: u64 = 12_000;
/// Those who read.
const VIEWERS: u64 = 3;
/// Their ids begin here.
const FIRST_VIEWER: u64 = 80_000;
/// Posts of one author whose verdicts are asked for.
const VERDICTS: u64 = 6;

/// A coordinator in one of its lives, and who asks it.
struct Asker {
    /// `feed.verdict_staleness`.
    verdict_staleness: Duration,
    /// What was known at earlier requests, and when that is so long ago that everybody has to see it.
    earlier: RefCell<VecDeque<(Duration, Asked)>>,
    env: Env,
    cluster: Arc<Cluster>,
    feed: FeedService,
    clients: Vec<NodeClient>,
    layout: Layout,
    history: Shared,
}

/// One coordinator after another, up to `until`.
pub(crate) async fn coordinate(world: HostWorld, until: Duration, history: Shared) -> turmoil::Result {
    let env = env(&world);
    while now() < until {
        let ends = until.min(now() + Duration::from_millis(env.entropy.below(LIFE_MS)));
        // A process of its own: what it leaves behind ends with it.
        let living = Box::pin(live(env.clone(), ends, history.clone()));
        match world.process.run(living).await {
            End::Returned(end) => end?,
            End::Panicked | End::Killed => break,
        }
    }
    Ok(())
}

async fn live(env: Env, ends: Duration, history: Shared) -> turmoil::Result {
    let config = Arc::new(config_on(0));
    let cluster = Cluster::start(env.clone(), &config, &Threads::Here, node_ports(&env, &config));
    let asker = Asker {
        verdict_staleness: config.feed.verdict_staleness,
        earlier: RefCell::default(),
        feed: feed(&env, &config, &cluster)?,
        cluster,
        clients: clients(&env),
        layout: layout(),
        env,
        history,
    };
    while now() < ends {
        asker.ask().await;
        tokio::time::sleep(Duration::from_millis(asker.env.entropy.below(150))).await;
    }
    Ok(())
}

fn now() -> Duration {
    turmoil::sim_elapsed().expect("inside the simulation")
}

fn feed(env: &Env, config: &Arc<Config>, cluster: &Arc<Cluster>) -> turmoil::Result<FeedService> {
    Ok(FeedService::new(Deps {
        ingest: Ingest::start(cluster.clone(), config, &Threads::Here),
        cluster: cluster.clone(),
        sealer: Arc::new(Sealer::new(&config.cursor_secret()?)),
        config: config.clone(),
        env: env.clone(),
    }))
}

impl Asker {
    async fn ask(&self) {
        match self.env.entropy.below(8) {
            0 => self.block().await,
            1..=3 => self.search().await,
            4..=5 => self.verdicts().await,
            _ => self.feed().await,
        }
    }

    fn viewer(&self) -> UserId {
        UserId(FIRST_VIEWER + self.env.entropy.below(VIEWERS))
    }

    /// One of those who write, and of their posts.
    fn post(&self) -> PostKey {
        client::key(
            1 + self.env.entropy.below(client::WRITERS),
            self.env.entropy.below(client::POSTS) + 1,
        )
    }

    fn deadline(&self) -> Monotonic {
        let left = match self.env.entropy.below(3) {
            0 => 20 + self.env.entropy.below(SHORT_MS),
            _ => REQUEST_MS,
        };
        self.env.clock.monotonic().plus(Duration::from_millis(left))
    }

    /// The token of all.
    fn token(&self) -> SessionToken {
        let mut token = SessionToken::default();
        for (shard, index) in &self.history.lock().tokens {
            let range_ver = self.layout.shards.iter().find(|plan| plan.shard == *shard);
            token.observe(Seen {
                shard: *shard,
                range_ver: range_ver.map_or(0, |plan| plan.epoch.range_ver),
                index: *index,
            });
        }
        token
    }

    fn asked(&self, viewer: UserId) -> Asked {
        let history = self.history.lock();
        Asked {
            viewer,
            blocks: history.blocks.clone(),
            posts: history.posts.clone(),
        }
    }

    /// An author blocks a viewer, or no longer does; and the viewer follows the author, or no longer does.
    async fn block(&self) {
        let (viewer, author) = (self.viewer(), self.post().author);
        let (block, on) = ((author, viewer), self.env.entropy.below(2) == 0);
        let version = {
            let mut history = self.history.lock();
            let version = Version(history.event());
            history.blocks.ask(block, version, on);
            version
        };
        if self.edge(author, viewer, EdgeKind::Block, (version, on)).await {
            self.history.lock().blocks.acknowledge(block, version);
        }
        self.edge(viewer, author, EdgeKind::Follow, (version, !on)).await;
    }

    async fn edge(&self, user: UserId, target: UserId, kind: EdgeKind, (version, on): (Version, bool)) -> bool {
        let command = ShardCommand::PutUsers(vec![UserUpdate {
            user,
            version,
            edges: vec![EdgeUpdate { kind, target, on }],
            ..UserUpdate::default()
        }]);
        let written = replicate(&self.clients, &self.layout, user, command, now() + PATIENCE).await;
        if let Some(written) = written {
            let shard = self.layout.owner(Slot::of(user)).shard;
            self.history.lock().saw(shard, written.index);
        }
        written.is_some()
    }

    /// The nearest posts: each class of posts has a score of its own, so that many posts tie.
    async fn search(&self) {
        let scores = self.scores();
        let searched = Searched {
            k: 1 + self.env.entropy.below(60) as usize,
            scores,
            before: self.history.lock().posts.clone(),
        };
        let ask = SearchAsk {
            space: "content".to_owned(),
            vectors: vec![scores.to_vec()],
            k: searched.k,
            exact: false,
            recall_target: 0.0,
            filter: SearchFilter::default(),
        };
        let context = ReadContext::query(self.deadline(), self.token());
        let Ok(found) = self.cluster.search(ask, &context).await else {
            return;
        };
        let report = &found.report;
        let complete = !report.partial && report.damaged_shards.is_empty() && report.coverage() >= 1.0;
        let mut history = self.history.lock();
        history.note(&[found.value.len() as u64, u64::from(report.calls), report.visited]);
        if self.count(&mut history, complete, report.missing_shards.is_empty()) {
            invariants::merge_is_one_shard(&mut history, &searched, &found.value);
        }
    }

    /// The classes in a random order: whole numbers, so that a score is exact.
    fn scores(&self) -> [f32; CLASSES] {
        let mut scores = std::array::from_fn(|class| class as f32);
        for last in (1..CLASSES).rev() {
            scores.swap(last, self.env.entropy.below(last as u64 + 1) as usize);
        }
        scores
    }

    /// Counts an answer. Who misses a shard does not call itself complete.
    fn count(&self, history: &mut crate::history::History, complete: bool, none_missing: bool) -> bool {
        if complete && !none_missing {
            let broken = "an answer covers all slots, and says that shards are missing".to_owned();
            history.violations.push(broken);
        }
        match complete {
            true => history.complete += 1,
            false => history.incomplete += 1,
        }
        complete
    }

    /// What is known when somebody asks with a token that has seen it, or was known so long before that none is needed.
    fn known(&self) -> (Asked, SessionToken) {
        let (asked, now) = (self.asked(self.viewer()), now());
        let mut earlier = self.earlier.borrow_mut();
        earlier.push_back((now + self.verdict_staleness, asked.clone()));
        while earlier.get(1).is_some_and(|(due, _)| *due <= now) {
            earlier.pop_front();
        }
        match earlier.front().filter(|(due, _)| *due <= now) {
            Some((_, before)) if self.env.entropy.below(2) == 0 => {
                let viewer = asked.viewer;
                (
                    Asked {
                        viewer,
                        ..before.clone()
                    },
                    SessionToken::default(),
                )
            }
            _ => (asked, self.token()),
        }
    }

    async fn verdicts(&self) {
        let (asked, token) = self.known();
        let keys: Vec<PostKey> = (0..VERDICTS).map(|_| self.post()).collect();
        let ask = VerdictAsk {
            viewer: asked.viewer,
            keys: keys.clone(),
            with_posts: self.env.entropy.below(2) == 0,
        };
        let context = ReadContext::query(self.deadline(), token).within(self.verdict_staleness);
        let Ok(found) = self.cluster.verdicts(ask, &context).await else {
            return;
        };
        let report = &found.report;
        let mut history = self.history.lock();
        history.note(&[found.value.len() as u64, u64::from(report.calls)]);
        let complete = !report.partial && report.coverage() >= 1.0;
        if self.count(&mut history, complete, report.missing_shards.is_empty()) {
            invariants::verdicts_are_right(&mut history, &asked, &keys, &found.value);
        }
    }

    async fn feed(&self) {
        let (asked, token) = self.known();
        let request = FeedRequest {
            viewer: asked.viewer,
            limit: 20,
            token,
            // What is recorded as served is not shown again for long.
            dry_run: self.env.entropy.below(8) != 0,
            ..FeedRequest::default()
        };
        let context = RequestContext {
            deadline: self.deadline(),
            trace_id: String::new(),
        };
        let Ok(reply) = self.feed.feed(request, &context).await else {
            return;
        };
        let key = |post: &covey_api::v1::FeedPost| PostKey {
            author: UserId(post.author_id),
            post: PostId(post.post_id),
        };
        let shown: Vec<PostKey> = reply.posts.iter().map(key).collect();
        let mut history = self.history.lock();
        history.shown += shown.len() as u64;
        history.note(&shown.iter().map(|key| key.post.0).collect::<Vec<_>>());
        invariants::blocks_hold(&mut history, &asked, &shown);
    }
}
