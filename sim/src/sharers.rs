//! Clients that share a few posts: each puts, deletes and reads all of them, and what they are told must be linearizable.
//!
//! That is promised to two kinds of reads, whichever replica answers them: strong ones, for which a leader that a majority confirms has
//! said how far the log goes, and those that carry the token of all that was acknowledged or read before they began. Other reads may
//! be old, and say so; nothing is checked of those here.

use std::time::Duration;

use covey_env::Env;
use covey_rpc::NodeClient;
use covey_shared::ids::{LogIndex, ModelEpoch, PostId, PostKey, ShardId, UserId, Version};
use covey_shared::layout::{FIRST_EPOCH, Layout, ShardPlan};
use covey_shared::slots::Slot;
use covey_shared::wire::{Class, GetPostsQuery, ReplyBody, RequestBody, ShardError, ShardRead};

use crate::client::{clients, deletion, layout, put, replicate};
use crate::cluster::HOSTS;
use crate::env::{HostWorld, env};
use crate::history::Shared;
use crate::invariants;
use crate::linearizable::{Operation, PostAnswer, PostCall};

/// Posts that are shared: few, so that operations on them overlap.
const POSTS: u64 = 6;
/// Their ids, and those of their authors, begin here.
const FIRST: u64 = 70_000;
/// Time for one question to one host.
const ASK: Duration = Duration::from_millis(700);
/// A write whose outcome is not known after this time stays unknown.
const PATIENCE: Duration = Duration::from_secs(3);

struct Sharer {
    env: Env,
    clients: Vec<NodeClient>,
    layout: Layout,
    history: Shared,
}

/// One client, up to `until`.
pub(crate) async fn share(world: HostWorld, until: Duration, history: Shared) -> turmoil::Result {
    let env = env(&world);
    let sharer = Sharer {
        clients: clients(&env),
        layout: layout(),
        env,
        history,
    };
    while now() < until {
        let post = FIRST + sharer.env.entropy.below(POSTS);
        let key = PostKey {
            author: UserId(post),
            post: PostId(post),
        };
        match sharer.env.entropy.below(10) {
            0..=5 => sharer.read(key, now() + PATIENCE).await,
            kind => sharer.write(key, kind == 9, now() + PATIENCE).await,
        }
        tokio::time::sleep(Duration::from_millis(sharer.env.entropy.below(100))).await;
    }
    Ok(())
}

fn now() -> Duration {
    turmoil::sim_elapsed().expect("inside the simulation")
}

impl Sharer {
    /// Puts or deletes a version that nobody else has. It may come behind a higher one that was taken later.
    async fn write(&self, key: PostKey, delete: bool, until: Duration) {
        let plan = self.layout.owner(Slot::of(key.author));
        let begun = {
            let mut history = self.history.lock();
            let begun = history.event();
            let call = match delete {
                true => PostCall::Delete(Version(begun)),
                false => PostCall::Put(Version(begun)),
            };
            history.posts.ask(key, Version(begun), !delete);
            history.shared_posts.entry(key).or_default().push(Operation {
                begun,
                call,
                answer: None,
            });
            begun
        };
        let command = if delete { deletion(key, begun) } else { put(key, begun) };
        let Some(written) = replicate(&self.clients, &self.layout, key.author, command, until).await else {
            return;
        };
        let answer = match (written.tried_once, written.superseded) {
            (false, _) => PostAnswer::Settled,
            (true, true) => PostAnswer::Superseded,
            (true, false) => PostAnswer::Taken,
        };
        let mut history = self.history.lock();
        let ended = history.event();
        history.saw(plan.shard, written.index);
        history.posts.acknowledge(key, Version(begun));
        invariants::acknowledged_is_applied(&mut history, plan.shard, written.index);
        let mut operations = history.shared_posts.get_mut(&key).into_iter().flatten();
        if let Some(operation) = operations.find(|operation| operation.begun == begun) {
            operation.answer = Some((ended, answer));
        }
    }

    /// Reads with the token of all, or with what a leader says, from one host after another, the first one at random.
    async fn read(&self, key: PostKey, until: Duration) {
        let plan = self.layout.owner(Slot::of(key.author));
        let (begun, token) = {
            let mut history = self.history.lock();
            let token = history.tokens.get(&plan.shard).copied().unwrap_or_default();
            (history.event(), token)
        };
        let strong = self.env.entropy.below(2) == 0;
        let token = match strong {
            true => self.fence(plan.shard, until).await,
            false => Some(token),
        };
        let Some(token) = token else { return };
        let mut host = self.env.entropy.below(HOSTS);
        while now() < until {
            if let Some((found, applied)) = self.ask(host, plan, key, token).await {
                let mut history = self.history.lock();
                let ended = history.event();
                history.saw(plan.shard, applied);
                history.note(&[ended, host, key.post.0, found.map_or(0, |version| version.0)]);
                let operations = history.shared_posts.entry(key).or_default();
                // Others may have begun meanwhile.
                let place = operations.partition_point(|operation| operation.begun < begun);
                operations.insert(
                    place,
                    Operation {
                        begun,
                        call: PostCall::Read,
                        answer: Some((ended, PostAnswer::Found(found))),
                    },
                );
                return;
            }
            host = (host + 1) % HOSTS;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// How far the log of a shard goes, as a leader says that a majority confirms: one host after another is asked.
    async fn fence(&self, shard: ShardId, until: Duration) -> Option<LogIndex> {
        let mut host = self.env.entropy.below(HOSTS);
        while now() < until {
            let body = RequestBody::ReadIndexes {
                shards: vec![(shard, FIRST_EPOCH)],
            };
            let answer = self.clients[host as usize]
                .call(Class::Query, ASK, body, ModelEpoch(0))
                .await;
            match answer {
                Ok(ReplyBody::ReadIndexes(said)) => match said.into_iter().next()?.1 {
                    Ok(index) => return Some(index),
                    Err(ShardError::NotLeader { hint: Some(node) }) => host = node.0 - 1,
                    Err(_) => host = (host + 1) % HOSTS,
                },
                Ok(_) | Err(_) => host = (host + 1) % HOSTS,
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        None
    }

    /// The version that a host has, and as of which entry, if it answers.
    async fn ask(
        &self,
        host: u64,
        plan: &ShardPlan,
        key: PostKey,
        token: LogIndex,
    ) -> Option<(Option<Version>, LogIndex)> {
        let query = GetPostsQuery {
            shards: vec![ShardRead {
                min_index: token,
                ..ShardRead::of(plan.shard, plan.epoch.range_ver)
            }],
            keys: vec![key],
            with_vectors: false,
        };
        let body = RequestBody::GetPosts(query);
        let answer = self.clients[host as usize]
            .call(Class::Query, ASK, body, ModelEpoch(0))
            .await;
        let Ok(ReplyBody::GetPosts(replies)) = answer else {
            return None;
        };
        let reply = replies.into_iter().next()?;
        let found = reply.result.ok()?;
        Some((found.first().map(|view| view.post.version), reply.about.applied))
    }
}
