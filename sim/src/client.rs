//! Writers: each puts, re-puts and deletes posts of its own authors, has its own users follow others, and remembers what it was told.

use std::time::Duration;

use covey_env::Env;
use covey_rpc::{ClientOptions, NodeClient, Peer};
use covey_shared::command::{ItemResult, PostDelete, ShardCommand};
use covey_shared::ids::{LogIndex, ModelEpoch, NodeId, PostId, PostKey, UnixMillis, UserId, Version};
use covey_shared::layout::Layout;
use covey_shared::model::{F16Vector, Post};
use covey_shared::slots::Slot;
use covey_shared::wire::{Class, ReplyBody, RequestBody, ShardError};

use crate::cluster::config;
use crate::env::{HostWorld, env};
use crate::history::{Shared, Told};
use crate::{follows, invariants};

/// Time for one attempt at one node.
const ATTEMPT: Duration = Duration::from_secs(2);
/// Posts that one writer works on: few, so that versions and deletes of the same post meet.
pub(crate) const POSTS: u64 = 40;
/// Writers of posts.
pub(crate) const WRITERS: u64 = 3;
/// Posts are alike if their ids differ by a multiple of this.
pub(crate) const CLASSES: usize = 16;
/// Without faults a write goes through in this time.
const PATIENCE: Duration = Duration::from_secs(25);

/// A write that was acknowledged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    /// The entry that it is.
    pub(crate) index: LogIndex,
    /// Something newer was there.
    pub(crate) superseded: bool,
    /// No earlier try can have been taken.
    pub(crate) tried_once: bool,
}

/// Clients of all nodes of the cluster.
pub(crate) fn clients(env: &Env) -> Vec<NodeClient> {
    let config = config();
    let options = ClientOptions::new(config.cluster.id(), NodeId(0));
    let peer = |node: &covey_config::NodeConfig| Peer {
        node: node.id,
        address: node.listen.as_str().to_owned(),
    };
    config
        .nodes
        .iter()
        .map(|node| NodeClient::new(env.clone(), peer(node), options.clone()))
        .collect()
}

/// The layout of the simulated cluster.
pub(crate) fn layout() -> Layout {
    config().layout()
}

struct Writer {
    env: Env,
    clients: Vec<NodeClient>,
    layout: Layout,
    number: u64,
    history: Shared,
}

/// Writes until `until`.
pub(crate) async fn write(world: HostWorld, number: u64, until: Duration, history: Shared) -> turmoil::Result {
    let env = env(&world);
    let writer = Writer {
        clients: clients(&env),
        layout: layout(),
        env,
        number,
        history,
    };
    let mut version = 0;
    while turmoil::sim_elapsed().is_some_and(|now| now < until) {
        version += 1;
        match writer.env.entropy.below(4) {
            0 => writer.follow(version, until + PATIENCE).await,
            _ => writer.post(version, until).await,
        }
        tokio::time::sleep(Duration::from_millis(writer.env.entropy.below(60))).await;
    }
    Ok(())
}

impl Writer {
    async fn post(&self, version: u64, until: Duration) {
        let key = key(self.number, self.env.entropy.below(POSTS) + 1);
        let delete = self.env.entropy.below(5) == 0;
        self.history.lock().posts.ask(key, Version(version), !delete);
        let command = if delete {
            self.history.lock().maybe_deleted.insert(key, Version(version));
            deletion(key, version)
        } else {
            put(key, version)
        };
        if self.replicate(key.author, command, until).await {
            let told = if delete {
                Told::Deleted(Version(version))
            } else {
                Told::Put(Version(version))
            };
            let mut history = self.history.lock();
            history.note(&[self.number, version, key.post.0]);
            history.told.insert(key, told);
            history.posts.acknowledge(key, Version(version));
        }
    }

    async fn replicate(&self, owner: UserId, command: ShardCommand, until: Duration) -> bool {
        let done = replicate(&self.clients, &self.layout, owner, command, until).await;
        if let Some(written) = done {
            let shard = self.layout.owner(Slot::of(owner)).shard;
            let mut history = self.history.lock();
            history.saw(shard, written.index);
            invariants::acknowledged_is_applied(&mut history, shard, written.index);
        }
        done.is_some()
    }

    /// Somebody follows, or no longer follows, a user of another shard. It is repeated until its outcome is known.
    async fn follow(&self, version: u64, until: Duration) {
        let edge = follows::choose(&self.layout, self.number, &*self.env.entropy);
        let on = !self.history.lock().follows.get(&edge).is_some_and(|on| *on);
        let command = follows::command(edge, on, version);
        let done = self.replicate(edge.0, command, until).await;
        let mut history = self.history.lock();
        history.note(&[self.number, version, edge.1.0]);
        match done {
            true => {
                history.followed += 1;
                history.follows.insert(edge, on);
            }
            false => {
                let broken = format!("{edge:?} of writer {} was not taken, without any fault", self.number);
                history.violations.push(broken);
            }
        }
    }
}

/// A post of a writer, by its number from 1.
pub(crate) fn key(writer: u64, number: u64) -> PostKey {
    PostKey {
        author: UserId(writer * 1000 + number % 10),
        post: PostId(writer * 1000 + number),
    }
}

pub(crate) fn put(key: PostKey, version: u64) -> ShardCommand {
    let class = key.post.0 as usize % CLASSES;
    let vector: Vec<f32> = (0..CLASSES).map(|i| if i == class { 1.0 } else { 0.0 }).collect();
    ShardCommand::PutPosts(vec![Post {
        key,
        version: Version(version),
        created_at: UnixMillis(1_767_225_600_000),
        text: format!("post {} version {version}", key.post),
        vector: F16Vector::from_f32(&vector),
        ..Post::default()
    }])
}

pub(crate) fn deletion(key: PostKey, version: u64) -> ShardCommand {
    ShardCommand::DeletePosts(vec![PostDelete {
        key,
        version: Version(version),
    }])
}

/// Tries one node after another until the write to the shard of `owner` is acknowledged or the time is over. Retries are safe:
/// versions.
pub(crate) async fn replicate(
    clients: &[NodeClient],
    layout: &Layout,
    owner: UserId,
    command: ShardCommand,
    until: Duration,
) -> Option<Written> {
    let plan = layout.owner(Slot::of(owner));
    let mut to = plan.voters[0].node;
    let mut tried_once = true;
    while turmoil::sim_elapsed().is_some_and(|now| now < until) {
        let body = RequestBody::Write {
            shard: plan.shard,
            epoch: plan.epoch,
            command: command.clone(),
        };
        let next = NodeId(to.0 % clients.len() as u64 + 1);
        match clients[to.0 as usize - 1]
            .call(Class::Write, ATTEMPT, body, ModelEpoch(0))
            .await
        {
            Ok(ReplyBody::Write(Ok(reply))) => {
                let superseded = match reply.results[..] {
                    [ItemResult::Ok] => false,
                    [ItemResult::Superseded] => true,
                    _ => return None,
                };
                return Some(Written {
                    index: reply.index,
                    superseded,
                    tried_once,
                });
            }
            Ok(ReplyBody::Write(Err(ShardError::NotLeader { hint }))) => to = hint.unwrap_or(next),
            Ok(_) | Err(_) => {
                tried_once = false;
                to = next;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    None
}
