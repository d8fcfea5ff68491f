//! After the faults: waits until the replicas have caught up, then compares them with each other and with what the
//! writers were told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use covey_rpc::NodeClient;
use covey_shared::ids::{LogIndex, ModelEpoch, PostKey, ReplicaId, ShardId, UserId, Version};
use covey_shared::layout::ShardPlan;
use covey_shared::members::ShardDescriptor;
use covey_shared::metadata::{ClusterView, Operation, OperationView};
use covey_shared::slots::Slot;
use covey_shared::wire::{
    AuthorsQuery, Class, GetPostsQuery, NodeStatus, ReplicaRole, ReplyBody, RequestBody, ShardRead,
};
use futures::future::join_all;

use crate::client::{clients, layout};
use crate::cluster::OPERATORS;
use crate::desk::Desk;
use crate::env::{HostWorld, env};
use crate::history::Shared;
use crate::invariants;
use crate::reports::Look;

/// Time for one call.
const CALL: Duration = Duration::from_secs(5);
/// Looks at a shard before it counts as stuck.
const PATIENCE: usize = 60;
/// Pause between two looks.
const AGAIN: Duration = Duration::from_secs(1);

/// Verifies from `from` on, when nothing is moved any more.
pub(crate) async fn verify(world: HostWorld, from: Duration, history: Shared) -> turmoil::Result {
    let env = env(&world);
    tokio::time::sleep(from).await;
    let (clients, layout) = (clients(&env), layout());
    // Operators have a deadline of their own.
    while history.lock().operators_done < OPERATORS {
        tokio::time::sleep(AGAIN).await;
    }
    at_rest(&Desk::new(&env, history.clone()), &history).await;
    delivered(&clients, &history).await;
    for plan in layout.groups() {
        match caught_up(&clients, plan.shard, &history).await {
            Ok(known) => {
                invariants::whole_in_the_end(&mut history.lock(), &known);
                compare(&clients, plan, &known, &history).await?;
            }
            Err(last) => {
                let shard = plan.shard;
                let violation = format!("shard {shard} did not settle after all faults were healed: {last}");
                history.lock().violations.push(violation);
            }
        }
    }
    Ok(())
}

/// Waits for the end of what the cluster does by itself.
async fn at_rest(desk: &Desk, history: &Shared) {
    let mut last = None;
    for _ in 0..PATIENCE {
        last = desk.describe().await.or(last);
        let runs = |view: &ClusterView| view.operations.iter().any(|operation| operation.record.runs());
        if last.as_ref().is_some_and(|view| !runs(view)) {
            break;
        }
        tokio::time::sleep(AGAIN).await;
    }
    let mut history = history.lock();
    match last {
        Some(view) => {
            let of_cluster = |view: &&OperationView| matches!(view.record.what, Operation::Repair { .. });
            history.repairs = view.operations.iter().filter(of_cluster).count() as u64;
            invariants::operations_end(&mut history, &view);
        }
        None => history
            .violations
            .push("nobody leads the metadata after all faults were healed".to_owned()),
    }
}

/// Waits until no shard owes anything to another one.
async fn delivered(clients: &[NodeClient], history: &Shared) {
    let mut owed = BTreeMap::new();
    for _ in 0..PATIENCE {
        owed = layout().shards.iter().map(|plan| (plan.shard, None)).collect();
        for status in join_all(clients.iter().map(status)).await.into_iter().flatten() {
            let led = status.replicas.iter().filter(|r| r.role == ReplicaRole::Leader);
            owed.extend(led.map(|replica| (replica.shard, Some(replica.outbox))));
        }
        owed.remove(&ShardId::METADATA);
        if owed.values().all(|items| *items == Some(0)) {
            return;
        }
        tokio::time::sleep(AGAIN).await;
    }
    let violation = format!("effects are still owed to other shards, after all faults were healed: {owed:?}");
    history.lock().violations.push(violation);
}

/// What all members know, once they have caught up and nobody else has a replica; else what was last seen.
async fn caught_up(clients: &[NodeClient], shard: ShardId, history: &Shared) -> Result<ShardDescriptor, String> {
    let mut last = String::new();
    for _ in 0..PATIENCE {
        let look = Look::at(clients, shard, history).await;
        match look.newest().filter(|_| look.is_level()) {
            Some(known) => return Ok(known.clone()),
            None => last = look.in_words(),
        }
        tokio::time::sleep(AGAIN).await;
    }
    for client in clients {
        last.extend(status(client).await.map(|status| rebuilds(&status)));
    }
    Err(last)
}

/// The replicas of a shard with each other, and with what was acknowledged.
async fn compare(
    clients: &[NodeClient],
    plan: &ShardPlan,
    known: &ShardDescriptor,
    history: &Shared,
) -> turmoil::Result {
    let told: Vec<PostKey> = history.lock().told.keys().copied().collect();
    let here = |key: &PostKey| plan.slots.contains(Slot::of(key.author));
    let keys: Vec<PostKey> = told.into_iter().filter(here).collect();
    let followed: BTreeSet<UserId> = history.lock().follows.keys().map(|(_, user)| *user).collect();
    let users = followed.into_iter().filter(|user| plan.slots.contains(Slot::of(*user)));
    let users: Vec<UserId> = users.collect();
    let mut hashes = BTreeMap::new();
    for node in known.members.all().into_iter().map(ReplicaId::node) {
        let client = &clients[node.0 as usize - 1];
        let found = posts(client, plan, &keys).await?;
        invariants::acknowledged_survives(&mut history.lock(), node, &keys, &found);
        let counts = followers(client, plan, &users).await?;
        invariants::effects_once(&mut history.lock(), node, &counts);
        for (shard, index, hash) in logical_hash(client, plan.shard).await? {
            hashes.entry((shard, index)).or_insert_with(Vec::new).push((node, hash));
        }
    }
    invariants::replicas_agree(&mut history.lock(), &hashes);
    Ok(())
}

fn rebuilds(status: &NodeStatus) -> String {
    let rebuilds: String = status.rebuilds.iter().map(|r| format!("\n    {r:?}")).collect();
    format!("\n  {}:{rebuilds}", status.node)
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

fn read(plan: &ShardPlan) -> ShardRead {
    ShardRead::of(plan.shard, plan.epoch.range_ver)
}

/// How many followers these users have, as one node says.
async fn followers(client: &NodeClient, plan: &ShardPlan, users: &[UserId]) -> turmoil::Result<BTreeMap<UserId, u32>> {
    if users.is_empty() {
        return Ok(BTreeMap::new());
    }
    let query = AuthorsQuery {
        shards: vec![read(plan)],
        authors: users.to_vec(),
    };
    let body = RequestBody::Authors(query);
    let ReplyBody::Authors(replies) = client.call(Class::Query, CALL, body, ModelEpoch(0)).await? else {
        return Err("another reply than asked for".into());
    };
    let mut found = BTreeMap::new();
    for reply in replies {
        found.extend(reply.result?.into_iter().map(|author| (author.user, author.followers)));
    }
    match found.len() == users.len() {
        true => Ok(found),
        false => Err("not all users were found".into()),
    }
}

async fn posts(client: &NodeClient, plan: &ShardPlan, keys: &[PostKey]) -> turmoil::Result<BTreeMap<PostKey, Version>> {
    let mut found = BTreeMap::new();
    for page in keys.chunks(500) {
        let query = GetPostsQuery {
            shards: vec![read(plan)],
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

async fn logical_hash(client: &NodeClient, shard: ShardId) -> turmoil::Result<Vec<(ShardId, LogIndex, u64)>> {
    let body = RequestBody::LogicalHash { shards: vec![shard] };
    let reply = client.call(Class::Admin, CALL, body, ModelEpoch(0)).await?;
    let ReplyBody::LogicalHash(replies) = reply else {
        return Err("another reply than asked for".into());
    };
    replies
        .into_iter()
        .map(|r| Ok((r.about.shard, r.about.applied, r.result?)))
        .collect()
}
