//! After the faults: waits until the replicas have caught up, then compares them with each other and with what the
//! writers were told.

use std::collections::BTreeMap;
use std::time::Duration;

use covey_rpc::NodeClient;
use covey_shared::ids::{LogIndex, ModelEpoch, NodeId, PostKey, ShardId, Version};
use covey_shared::wire::{Class, GetPostsQuery, NodeStatus, ReplicaStatus, ReplyBody, RequestBody, ShardRead};

use crate::client::{clients, layout};
use crate::env::{HostWorld, env};
use crate::history::Shared;
use crate::invariants;

/// Time for one call.
const CALL: Duration = Duration::from_secs(5);
/// Looks at the cluster before it counts as stuck.
const PATIENCE: usize = 60;

/// Verifies from `from` on.
pub(crate) async fn verify(world: HostWorld, from: Duration, history: Shared) -> turmoil::Result {
    let env = env(&world);
    tokio::time::sleep(from).await;
    let clients = clients(&env);
    if let Err(last) = caught_up(&clients).await {
        let violation = format!("replicas did not catch up after all faults were healed: {last}");
        history.lock().violations.push(violation);
        return Ok(());
    }
    let keys: Vec<PostKey> = history.lock().told.keys().copied().collect();
    let mut hashes = BTreeMap::new();
    for (i, client) in clients.iter().enumerate() {
        let node = NodeId(i as u64 + 1);
        let found = posts(client, &keys).await?;
        invariants::acknowledged_survives(&mut history.lock(), node, &found);
        for (shard, index, hash) in logical_hashes(client).await? {
            hashes.entry((shard, index)).or_insert_with(Vec::new).push((node, hash));
        }
    }
    invariants::replicas_agree(&mut history.lock(), &hashes);
    Ok(())
}

/// What was last seen of them, if they did not.
async fn caught_up(clients: &[NodeClient]) -> Result<(), String> {
    let mut last = String::new();
    for _ in 0..PATIENCE {
        let mut applied: BTreeMap<ShardId, Vec<LogIndex>> = BTreeMap::new();
        last.clear();
        for client in clients {
            if let Some(status) = status(client).await {
                for replica in &status.replicas {
                    applied.entry(replica.shard).or_default().push(replica.applied);
                }
                last.push_str(&in_words(&status));
            }
        }
        let level =
            |indexes: &Vec<LogIndex>| indexes.len() == clients.len() && indexes.windows(2).all(|w| w[0] == w[1]);
        if !applied.is_empty() && applied.values().all(level) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Err(last)
}

fn in_words(status: &NodeStatus) -> String {
    let replica = |r: &ReplicaStatus| {
        let (role, term, log) = (r.role, r.term, r.first_index);
        format!(
            "\n    {} {role:?} {term:?}, log from {log}, committed {}, applied {}",
            r.shard, r.committed, r.applied
        )
    };
    let replicas: String = status.replicas.iter().map(replica).collect();
    let rebuilds: String = status.rebuilds.iter().map(|r| format!("\n    {r:?}")).collect();
    format!("\n  {}:{replicas}{rebuilds}", status.node)
}

async fn status(client: &NodeClient) -> Option<NodeStatus> {
    match client
        .call(Class::Admin, CALL, RequestBody::Status, ModelEpoch(0))
        .await
    {
        Ok(ReplyBody::Status(status)) => Some(*status),
        Ok(_) | Err(_) => None,
    }
}

async fn posts(client: &NodeClient, keys: &[PostKey]) -> turmoil::Result<BTreeMap<PostKey, Version>> {
    let read = |s: &covey_shared::layout::ShardPlan| ShardRead {
        shard: s.shard,
        range_ver: s.epoch.range_ver,
        min_index: LogIndex(0),
    };
    let shards: Vec<ShardRead> = layout().shards.iter().map(read).collect();
    let mut found = BTreeMap::new();
    for page in keys.chunks(500) {
        let query = GetPostsQuery {
            shards: shards.clone(),
            keys: page.to_vec(),
            with_vectors: false,
        };
        let reply = client
            .call(Class::Query, CALL, RequestBody::GetPosts(query), ModelEpoch(0))
            .await?;
        let ReplyBody::GetPosts(replies) = reply else {
            return Err("another reply than asked for".into());
        };
        for reply in replies {
            found.extend(reply.result?.into_iter().map(|view| (view.post.key, view.post.version)));
        }
    }
    Ok(found)
}

async fn logical_hashes(client: &NodeClient) -> turmoil::Result<Vec<(ShardId, LogIndex, u64)>> {
    let body = RequestBody::LogicalHash { shards: Vec::new() };
    let reply = client.call(Class::Admin, CALL, body, ModelEpoch(0)).await?;
    let ReplyBody::LogicalHash(replies) = reply else {
        return Err("another reply than asked for".into());
    };
    replies
        .into_iter()
        .map(|r| Ok((r.shard, r.applied, r.result?)))
        .collect()
}
