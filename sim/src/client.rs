//! Writers: each puts, re-puts and deletes posts of its own authors and remembers what it was told.

use std::time::Duration;

use covey_env::Env;
use covey_rpc::{ClientOptions, NodeClient, Peer};
use covey_shared::command::{ItemResult, PostDelete, ShardCommand};
use covey_shared::ids::{ModelEpoch, NodeId, PostId, PostKey, UnixMillis, UserId, Version};
use covey_shared::layout::Layout;
use covey_shared::model::{F16Vector, Post};
use covey_shared::slots::Slot;
use covey_shared::wire::{Class, ReplyBody, RequestBody, ShardError};

use crate::cluster::config;
use crate::env::{HostWorld, env};
use crate::history::{Shared, Told};

/// Time for one attempt at one node.
const ATTEMPT: Duration = Duration::from_secs(2);
/// Posts that one writer works on: few, so that versions and deletes of the same post meet.
const POSTS: u64 = 40;

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

/// Writes until `until`.
pub(crate) async fn write(world: HostWorld, writer: u64, until: Duration, history: Shared) -> turmoil::Result {
    let env = env(&world);
    let (clients, layout) = (clients(&env), layout());
    let mut version = 0;
    while turmoil::sim_elapsed().is_some_and(|now| now < until) {
        version += 1;
        let number = env.entropy.below(POSTS) + 1;
        let key = PostKey {
            author: UserId(writer * 1000 + number % 10),
            post: PostId(writer * 1000 + number),
        };
        let delete = env.entropy.below(5) == 0;
        let command = if delete {
            deletion(key, version)
        } else {
            put(key, version)
        };
        if delete {
            history.lock().maybe_deleted.insert(key, Version(version));
        }
        if replicate(&clients, &layout, key, command, until).await {
            let told = if delete {
                Told::Deleted(Version(version))
            } else {
                Told::Put(Version(version))
            };
            let mut history = history.lock();
            history.note(&[writer, version, key.post.0]);
            history.told.insert(key, told);
        }
        tokio::time::sleep(Duration::from_millis(env.entropy.below(60))).await;
    }
    Ok(())
}

pub(crate) fn put(key: PostKey, version: u64) -> ShardCommand {
    let vector: Vec<f32> = (0..16).map(|i| if i == key.post.0 % 16 { 1.0 } else { 0.0 }).collect();
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

/// Tries one node after another until the write is acknowledged or the time is over. Retries are safe: versions.
pub(crate) async fn replicate(
    clients: &[NodeClient],
    layout: &Layout,
    key: PostKey,
    command: ShardCommand,
    until: Duration,
) -> bool {
    let plan = layout.owner(Slot::of(key.author));
    let mut to = plan.voters[0].node;
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
                return matches!(reply.results[..], [ItemResult::Ok | ItemResult::Superseded]);
            }
            Ok(ReplyBody::Write(Err(ShardError::NotLeader { hint }))) => to = hint.unwrap_or(next),
            Ok(_) | Err(_) => to = next,
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}
