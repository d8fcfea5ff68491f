//! Nodes of tests: they share one perfectly replicated world and misbehave on request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use covey_config::Config;
use covey_env::Env;
use covey_rpc::{CallError as RpcError, Exchange};
use covey_shared::command::{ItemResult, ShardCommand};
use covey_shared::ids::{LogIndex, NodeId, OperationId, PostKey, ShardEpoch, ShardId, UnixMillis, UserId};
use covey_shared::layout::{Layout, ShardPlan};
use covey_shared::metadata::{ClusterView, MetadataChange, NodePlace, OperationFault};
use covey_shared::model::Post;
use covey_shared::score::{Hit, Score, merge_top_k};
use covey_shared::settings::Settings;
use covey_shared::slots::{Slot, SlotRange};
use covey_shared::wire::{
    About, Counters, ListAsk, NotReady, PostView, RankedBy, ReplyBody, RequestBody, SearchQuery, ShardError, ShardRead,
    ShardReply, ViewerState, WriteReply,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;

use crate::cluster::fake_lists::listed;
use crate::cluster::{CallError, Cluster, NodeCall, NodePort, Threads};

/// How a node behaves.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mood {
    /// Connections are refused.
    Down,
    /// Calls never end.
    Hangs,
    /// These shards of the node refuse reads.
    Refuses(Vec<u64>, ShardError),
    /// These shards of the node leave damaged rows out.
    Damaged(Vec<u64>),
    /// It leaves the last list out.
    Forgets,
    /// Writes are done, but the connection breaks before the reply.
    LosesReplies,
    /// Its answers are so many milliseconds old.
    Aged(u32),
    /// Its replica of this shard holds something else.
    Differs(ShardId),
    /// For so many hashes of each shard its replicas are behind.
    LagsFor(usize),
}

/// What all nodes share.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) posts: Mutex<BTreeMap<PostKey, Post>>,
    pub(crate) moods: Mutex<BTreeMap<NodeId, Mood>>,
    /// Leaders other than the preferred ones.
    pub(crate) leaders: Mutex<BTreeMap<ShardId, NodeId>>,
    /// Changes of the metadata.
    pub(crate) changes: Mutex<Vec<MetadataChange>>,
    /// Of so many changes of the metadata the replies get lost.
    pub(crate) lost_changes: Mutex<u32>,
    /// What somebody else has set when the next change arrives.
    pub(crate) meanwhile: Mutex<Option<MetadataChange>>,
    /// Why operations are refused.
    pub(crate) fault: Mutex<Option<OperationFault>>,
    /// Epoch of the metadata, if it is not the founding one.
    pub(crate) metadata_epoch: Mutex<Option<ShardEpoch>>,
    /// What the leader of the metadata shows.
    pub(crate) view: Mutex<Option<ClusterView>>,
    /// Every call except probes, with its node.
    pub(crate) calls: Mutex<Vec<(NodeId, RequestBody)>>,
    pub(crate) index: Mutex<u64>,
}

impl World {
    pub(crate) fn set(&self, node: u64, mood: Mood) {
        self.moods.lock().insert(NodeId(node), mood);
    }

    /// What has been set.
    pub(crate) fn settings(&self) -> Settings {
        let changes = self.changes.lock();
        let numbered = (1..).map(LogIndex).zip(changes.iter());
        numbered.fold(Settings::default(), |settings, (index, change)| match change {
            MetadataChange::Set { changes, .. } => settings.with(index, changes).expect("it was sound"),
            _ => settings,
        })
    }

    pub(crate) fn asked_shards(&self) -> BTreeSet<ShardId> {
        let calls = self.calls.lock();
        calls
            .iter()
            .flat_map(|(_, body)| reads(body))
            .map(|read| read.shard)
            .collect()
    }
}

/// A cluster over fake nodes, in the default layout: 3 nodes, 8 shards, 3 replicas each.
pub(crate) fn cluster() -> (Arc<Cluster>, Arc<World>) {
    let (config, world) = (Config::default(), Arc::new(World::default()));
    (cluster_of(&config, &world), world)
}

pub(crate) fn cluster_of(config: &Config, world: &Arc<World>) -> Arc<Cluster> {
    let (layout, world) = (config.layout(), world.clone());
    let port = move |place: &NodePlace| -> Arc<dyn NodePort> {
        Arc::new(FakeNode {
            id: place.node,
            world: world.clone(),
            layout: layout.clone(),
        })
    };
    let env = Env::production(1).expect("a thread for tests");
    Cluster::start(env, config, &Threads::Here, port)
}

/// Of each answered call.
pub(crate) const BYTES: u64 = 100;

#[derive(Clone)]
struct FakeNode {
    id: NodeId,
    world: Arc<World>,
    layout: Layout,
}

impl NodePort for FakeNode {
    fn call(&self, call: NodeCall) -> BoxFuture<'static, Result<Exchange, CallError>> {
        let node = self.clone();
        async move {
            if call.body != RequestBody::Status {
                node.world.calls.lock().push((node.id, call.body.clone()));
            }
            let mood = node.world.moods.lock().get(&node.id).cloned();
            match mood {
                Some(Mood::Down) => return Err(RpcError::Closed { node: node.id }.into()),
                Some(Mood::Hangs) => std::future::pending().await,
                _ => {}
            }
            let is_change = matches!(
                &call.body,
                RequestBody::Write {
                    shard: ShardId::METADATA,
                    ..
                }
            );
            let reply = node.answer(call.body, &mood);
            if mood == Some(Mood::LosesReplies) || (is_change && node.loses_it(&reply)) {
                return Err(RpcError::Closed { node: node.id }.into());
            }
            Ok(Exchange { reply, bytes: BYTES })
        }
        .boxed()
    }
}

fn reads(body: &RequestBody) -> Vec<ShardRead> {
    match body {
        RequestBody::GetPosts(query) => query.shards.clone(),
        RequestBody::Search(query) => query.shards.clone(),
        RequestBody::Lists(query) => query.shards.clone(),
        RequestBody::InNetwork(query) => query.shards.clone(),
        RequestBody::Viewer(query) => vec![query.shard],
        _ => Vec::new(),
    }
}

impl FakeNode {
    fn answer(&self, body: RequestBody, mood: &Option<Mood>) -> ReplyBody {
        let shards = reads(&body);
        match body {
            RequestBody::Write {
                epoch,
                command: ShardCommand::Metadata(change),
                ..
            } => ReplyBody::Write(self.change(epoch, change)),
            RequestBody::Write { shard, command, .. } => ReplyBody::Write(self.write(shard, command)),
            RequestBody::ReadIndexes { shards } => {
                let index = LogIndex(*self.world.index.lock());
                let answer = |(shard, _)| (shard, self.leads(shard).map(|_| index));
                ReplyBody::ReadIndexes(shards.into_iter().map(answer).collect())
            }
            RequestBody::Describe { .. } => ReplyBody::Describe(self.describe()),
            RequestBody::Rehearse(what) => ReplyBody::Rehearse(self.leads(ShardId::METADATA).map(|_| {
                let fault = self.world.fault.lock().clone();
                fault.map_or(Ok(vec![what]), Err)
            })),
            RequestBody::GetPosts(query) => {
                let wanted = |post: &Post| {
                    let found = |k: &PostKey| k.post == post.key.post && (k.author == UserId(0) || *k == post.key);
                    query.keys.iter().any(found)
                };
                ReplyBody::GetPosts(self.each(&shards, mood, |slots| {
                    let posts = self.posts_in(slots);
                    posts.filter(wanted).map(view).collect()
                }))
            }
            RequestBody::Search(query) => {
                ReplyBody::Search(self.each(&shards, mood, |slots| self.nearest(&query, slots)))
            }
            RequestBody::Lists(query) => ReplyBody::Lists(self.each(&shards, mood, |slots| {
                let list = |list: &ListAsk| listed(list.by, list.posts, self.posts_in(slots));
                let answered = query.lists.len() - usize::from(*mood == Some(Mood::Forgets));
                query.lists[..answered].iter().map(list).collect()
            })),
            RequestBody::Viewer(_) => {
                let mut states = self.each(&shards, mood, |_| ViewerState::default());
                ReplyBody::Viewer(Box::new(states.remove(0)))
            }
            RequestBody::LogicalHash { shards } => {
                ReplyBody::LogicalHash(shards.into_iter().map(|shard| self.hash(shard, mood)).collect())
            }
            RequestBody::InNetwork(query) => ReplyBody::InNetwork(self.each(&shards, mood, |slots| {
                let posts = self
                    .posts_in(slots)
                    .filter(|post| query.authors.contains(&post.author()));
                let posts = listed(RankedBy::Newest, query.max_results, posts);
                posts.into_iter().map(|ranked| ranked.post).collect()
            })),
            _ => ReplyBody::LogicalHash(Vec::new()),
        }
    }

    fn loses_it(&self, reply: &ReplyBody) -> bool {
        let mut left = self.world.lost_changes.lock();
        let lost = matches!(reply, ReplyBody::Write(Ok(_))) && *left > 0;
        *left -= u32::from(lost);
        lost
    }

    fn each<T>(&self, reads: &[ShardRead], mood: &Option<Mood>, answer: impl Fn(SlotRange) -> T) -> Vec<ShardReply<T>> {
        let index = LogIndex(*self.world.index.lock());
        let age = match mood {
            Some(Mood::Aged(age)) => *age,
            _ => 3,
        };
        let plans = reads
            .iter()
            .filter_map(|read| Some((read, self.layout.shard(read.shard)?)));
        plans
            .map(|(read, plan): (&ShardRead, &ShardPlan)| ShardReply {
                about: About {
                    shard: plan.shard,
                    epoch: plan.epoch,
                    slots: plan.slots,
                    applied: index,
                    staleness_ms: age,
                    partial: false,
                    visited: 1,
                    queue_us: 0,
                    work_us: 0,
                },
                result: match mood {
                    _ if read.max_age_ms.is_some_and(|most| age > most) => Err(ShardError::NotReady(NotReady::Stale)),
                    Some(Mood::Refuses(shards, error)) if shards.contains(&plan.shard.0) => Err(error.clone()),
                    _ => Ok(answer(plan.slots)),
                },
                damaged: match mood {
                    Some(Mood::Damaged(shards)) if shards.contains(&plan.shard.0) => 2,
                    _ => 0,
                },
            })
            .collect()
    }

    fn hash(&self, shard: ShardId, mood: &Option<Mood>) -> ShardReply<u64> {
        let read = ShardRead::of(shard, 0);
        let mut reply = self.each(&[read], mood, |slots| u64::from(slots.start)).remove(0);
        // This call is among them.
        let asked = |(node, body): &&(NodeId, RequestBody)| {
            *node == self.id && matches!(body, RequestBody::LogicalHash { shards } if shards.contains(&shard))
        };
        match mood {
            Some(Mood::Differs(other)) if *other == shard => reply.result = reply.result.map(|hash| !hash),
            Some(Mood::LagsFor(times)) if self.world.calls.lock().iter().filter(asked).count() <= *times => {
                reply.about.applied = LogIndex(reply.about.applied.0 + 1);
            }
            _ => {}
        }
        reply
    }

    fn posts_in(&self, slots: SlotRange) -> impl Iterator<Item = Post> + use<> {
        let posts = self.world.posts.lock().clone();
        posts
            .into_values()
            .filter(move |p| slots.contains(Slot::of(p.author())))
    }

    fn nearest(&self, query: &SearchQuery, slots: SlotRange) -> Vec<Hit> {
        let hits = self
            .posts_in(slots)
            .filter(|p| !query.filter.not_posts.contains(&p.key.post))
            .map(|post| {
                let vector = post.vector.to_f32();
                let product = |q: &Vec<f32>| q.iter().zip(&vector).map(|(a, b)| a * b).sum::<f32>();
                Hit {
                    key: post.key,
                    slot: Slot::of(post.author()).0,
                    score: Score::or_lowest(query.vectors.iter().map(product).fold(f32::MIN, f32::max)),
                }
            });
        merge_top_k(hits.collect(), query.k as usize)
    }

    /// Whether this node leads; else who does.
    fn leads(&self, shard: ShardId) -> Result<&ShardPlan, ShardError> {
        let plan = self.layout.shard(shard).ok_or(ShardError::NotHere(shard))?;
        let known = self.world.leaders.lock().get(&shard).copied();
        match known.unwrap_or(plan.voters[0].node) {
            leader if leader == self.id => Ok(plan),
            leader => Err(ShardError::NotLeader { hint: Some(leader) }),
        }
    }

    fn describe(&self) -> Result<Box<ClusterView>, ShardError> {
        self.leads(ShardId::METADATA)?;
        let applied = self.world.changes.lock().len() as u64;
        let empty = || ClusterView {
            applied: LogIndex(applied),
            at: UnixMillis(1),
            nodes: Vec::new(),
            shards: Vec::new(),
            operations: Vec::new(),
            audit: Vec::new(),
            settings: self.world.settings(),
        };
        Ok(Box::new(self.world.view.lock().clone().unwrap_or_else(empty)))
    }

    /// The number of a change is its operation.
    fn change(&self, epoch: ShardEpoch, change: MetadataChange) -> Result<WriteReply, ShardError> {
        let plan = self.leads(ShardId::METADATA)?;
        let current = self.world.metadata_epoch.lock().unwrap_or(plan.epoch);
        if epoch != current {
            return Err(ShardError::StaleEpoch { current });
        }
        let meanwhile = self.world.meanwhile.lock().take();
        self.world.changes.lock().extend(meanwhile);
        let version = self.world.settings().version;
        let late = matches!(change, MetadataChange::Set { on, .. } if on != version);
        let fault = self.world.fault.lock().clone();
        let fault = fault.or(late.then_some(OperationFault::SettingsChanged(version)));
        let mut changes = self.world.changes.lock();
        let outcome = match fault {
            Some(fault) => Err(fault),
            None => {
                changes.push(change);
                Ok(OperationId(changes.len() as u64))
            }
        };
        Ok(WriteReply {
            index: LogIndex(changes.len() as u64),
            epoch,
            results: vec![ItemResult::Operation(outcome)],
        })
    }

    fn write(&self, shard: ShardId, command: ShardCommand) -> Result<WriteReply, ShardError> {
        let plan = self.leads(shard)?;
        let items = command.len();
        if let ShardCommand::PutPosts(posts) = command {
            self.world.posts.lock().extend(posts.into_iter().map(|p| (p.key, p)));
        }
        let mut index = self.world.index.lock();
        *index += 1;
        Ok(WriteReply {
            index: LogIndex(*index),
            epoch: plan.epoch,
            results: vec![ItemResult::Ok; items],
        })
    }
}

/// The place of a post in a list; the first number of its vector stands for its engagement.
fn view(post: Post) -> PostView {
    PostView {
        post,
        counters: Counters::default(),
    }
}
