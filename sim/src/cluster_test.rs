//! Nodes whose disks fill up and are cleared again, without any restart.

use std::future::Future;

use covey_rpc::NodeClient;
use covey_shared::command::ShardCommand;
use covey_shared::ids::{LogIndex, ModelEpoch, PostId, PostKey, UserId};
use covey_shared::layout::Layout;
use covey_shared::slots::Slot;
use covey_shared::wire::{
    Class, GetPostsQuery, NodeStatus, ReplicaRole, ReplyBody, RequestBody, ShardError, ShardRead,
};

use super::*;
use crate::DiskFault;
use crate::client::{clients, deletion, layout, put, replicate};
use crate::env::Room;

const CALL: Duration = Duration::from_secs(2);
/// Simulated time in which a write must go through.
const PATIENCE: Duration = Duration::from_secs(60);

/// A post of this test: author 7.
fn key(post: u64) -> PostKey {
    PostKey {
        author: UserId(7),
        post: PostId(post),
    }
}

/// Looks every half second; panics after two simulated minutes.
async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    for _ in 0..240 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("{what} did not happen");
}

async fn statuses(nodes: &[NodeClient]) -> Vec<NodeStatus> {
    let mut all = Vec::new();
    for node in nodes {
        let reply = node.call(Class::Admin, CALL, RequestBody::Status, ModelEpoch(0)).await;
        if let Ok(ReplyBody::Status(status)) = reply {
            all.push(*status);
        }
    }
    all
}

fn leads(status: &NodeStatus) -> usize {
    let leads = |r: &&covey_shared::wire::ReplicaStatus| r.role == ReplicaRole::Leader;
    status.replicas.iter().filter(leads).count()
}

fn is_low(status: &NodeStatus) -> bool {
    status.disk.is_some_and(|disk| disk.low)
}

/// What each node says to a write, without a second try.
async fn offered(nodes: &[NodeClient], layout: &Layout, command: &ShardCommand) -> Vec<ReplyBody> {
    let plan = layout.owner(Slot::of(key(1).author));
    let mut replies = Vec::new();
    for node in nodes {
        let body = RequestBody::Write {
            shard: plan.shard,
            epoch: plan.epoch,
            command: command.clone(),
        };
        let reply = node.call(Class::Write, CALL, body, ModelEpoch(0)).await;
        replies.push(reply.expect("the nodes are up"));
    }
    replies
}

async fn has(node: &NodeClient, layout: &Layout, key: PostKey) -> bool {
    let plan = layout.owner(Slot::of(key.author));
    let query = GetPostsQuery {
        shards: vec![ShardRead {
            shard: plan.shard,
            range_ver: plan.epoch.range_ver,
            min_index: LogIndex(0),
        }],
        keys: vec![key],
        with_vectors: false,
    };
    match node
        .call(Class::Query, CALL, RequestBody::GetPosts(query), ModelEpoch(0))
        .await
    {
        Ok(ReplyBody::GetPosts(replies)) => replies[0].result.as_ref().is_ok_and(|posts| posts.len() == 1),
        _ => false,
    }
}

/// Whether a write of version `version` goes through, retries included.
async fn done(nodes: &[NodeClient], command: ShardCommand) -> bool {
    let until = turmoil::sim_elapsed().expect("inside the simulation") + PATIENCE;
    replicate(nodes, &layout(), key(1), command, until).await
}

async fn refuses_growth(nodes: &[NodeClient], version: u64) {
    let replies = offered(nodes, &layout(), &put(key(1), version)).await;
    let refused = |reply: &ReplyBody| {
        matches!(
            reply,
            ReplyBody::Write(Err(ShardError::Overloaded { .. } | ShardError::NotLeader { .. }))
        )
    };
    assert!(replies.iter().all(refused), "{replies:?}");
}

async fn script(world: HostWorld, rooms: Vec<Room>) -> turmoil::Result {
    let env = env(&world);
    let nodes = clients(&env);
    let (one, layout) = (&nodes[..1], layout());
    let shards = layout.shards.len();
    let led = |all: &[NodeStatus]| all.iter().map(leads).sum::<usize>() == shards;

    until("a leader of every shard", || async { led(&statuses(&nodes).await) }).await;
    assert!(done(&nodes, put(key(1), 1)).await);

    // One disk fills up: others lead, writes go on, and the node still answers reads.
    rooms[0].set(20);
    until("no leader on a full node", || async {
        let all = statuses(&nodes).await;
        all.len() == 3 && is_low(&all[0]) && leads(&all[0]) == 0 && led(&all)
    })
    .await;
    assert!(done(&nodes, put(key(2), 1)).await);
    until("a read of the full node", || async {
        has(&nodes[0], &layout, key(1)).await && has(&nodes[0], &layout, key(2)).await
    })
    .await;
    refuses_growth(one, 2).await;

    // All fill up: nothing that grows is taken; deletes are.
    rooms.iter().for_each(|room| room.set(49));
    until("all nodes full", || async {
        let all = statuses(&nodes).await;
        all.len() == 3 && all.iter().all(is_low)
    })
    .await;
    refuses_growth(&nodes, 2).await;
    assert!(done(&nodes, deletion(key(2), 2)).await);

    // A little room is not enough; more is, without help.
    rooms.iter().for_each(|room| room.set(55));
    tokio::time::sleep(Duration::from_secs(12)).await;
    refuses_growth(&nodes, 2).await;
    rooms.iter().for_each(|room| room.set(61));
    assert!(done(&nodes, put(key(1), 2)).await);
    until("room everywhere", || async {
        !statuses(&nodes).await.iter().any(is_low)
    })
    .await;
    Ok(())
}

#[test]
fn a_node_with_a_full_disk_leads_nothing_refuses_growth_and_recovers_by_itself() {
    for seed in 0..3 {
        println!("seed {seed}");
        let mut sim = turmoil::Builder::new()
            .rng_seed(seed)
            .tick_duration(TICK)
            .simulation_duration(Duration::from_secs(600))
            .min_message_latency(Duration::from_millis(1))
            .max_message_latency(Duration::from_millis(20))
            .build();
        let rooms: Vec<Room> = (0..HOSTS).map(|_| Room::free(500)).collect();
        let history = Shared::default();
        let world = |host: u64, room: Room| HostWorld {
            seed,
            host,
            incarnation: 0,
            fault: DiskFault::None,
            room,
            ..HostWorld::default()
        };
        for (host, room) in (1..).zip(&rooms) {
            let (world, history) = (world(host, room.clone()), history.clone());
            sim.host(address(host).as_str(), move || serve(world.clone(), history.clone()));
        }
        sim.client("10.2.0.1", script(world(100, Room::default()), rooms));
        sim.run().expect("the script ends");
        assert!(history.lock().violations.is_empty(), "{:?}", history.lock().violations);
    }
}
