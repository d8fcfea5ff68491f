//! Nodes whose disks fill up and are cleared again, or stall for a while, without any restart.

use std::future::Future;

use covey_rpc::NodeClient;
use covey_shared::command::ShardCommand;
use covey_shared::ids::{ModelEpoch, PostId, PostKey, UserId};
use covey_shared::layout::Layout;
use covey_shared::slots::Slot;
use covey_shared::wire::{
    Class, GetPostsQuery, NodeStatus, ReplicaRole, ReplyBody, RequestBody, ShardError, ShardRead,
};

use super::*;
use crate::DiskFault;
use crate::client::{clients, deletion, layout, put, replicate};
use crate::env::{Pace, Room};

const CALL: Duration = Duration::from_secs(2);
/// Simulated time in which a write must go through.
const PATIENCE: Duration = Duration::from_secs(60);

/// A post of this test, in the first shard, of which the first three hosts have replicas.
fn key(post: u64) -> PostKey {
    key_in(0, post)
}

/// A post in the shard at this place.
fn key_in(place: usize, post: u64) -> PostKey {
    let shard = layout().shards[place].shard;
    let of_shard = |author: &UserId| layout().owner(Slot::of(*author)).shard == shard;
    PostKey {
        author: (1..).map(UserId).find(of_shard).expect("every shard has authors"),
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
        shards: vec![ShardRead::of(plan.shard, plan.epoch.range_ver)],
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
    replicate(nodes, &layout(), key(1).author, command, until)
        .await
        .is_some()
}

/// The same of a put into every shard.
async fn put_everywhere(nodes: &[NodeClient], version: u64) -> bool {
    let until = turmoil::sim_elapsed().expect("inside the simulation") + PATIENCE;
    for place in 0..layout().shards.len() {
        let key = key_in(place, 1);
        if replicate(nodes, &layout(), key.author, put(key, version), until)
            .await
            .is_none()
        {
            return false;
        }
    }
    true
}

async fn refuses_growth(nodes: &[NodeClient], version: u64) {
    let replies = offered(nodes, &layout(), &put(key(1), version)).await;
    let refused = |reply: &ReplyBody| {
        matches!(
            reply,
            ReplyBody::Write(Err(ShardError::Overloaded { .. }
                | ShardError::NotLeader { .. }
                | ShardError::NotHere(_)))
        )
    };
    assert!(replies.iter().all(refused), "{replies:?}");
}

async fn script(world: HostWorld, rooms: Vec<Room>) -> turmoil::Result {
    let env = env(&world);
    let nodes = clients(&env);
    let (one, layout) = (&nodes[..1], layout());
    let groups = layout.groups().count();
    let led = |all: &[NodeStatus]| all.iter().map(leads).sum::<usize>() == groups;

    until("a leader of every group", || async { led(&statuses(&nodes).await) }).await;
    assert!(done(&nodes, put(key(1), 1)).await);

    // One disk fills up: others lead, writes go on, and the node still answers reads.
    rooms[0].set(20);
    until("no leader on a full node", || async {
        let all = statuses(&nodes).await;
        all.len() == nodes.len() && is_low(&all[0]) && leads(&all[0]) == 0 && led(&all)
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
        all.len() == nodes.len() && all.iter().all(is_low)
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

/// Runs `script` beside nodes whose disks are as given.
fn simulate(seed: u64, disks: &[(Room, Pace)], script: impl Future<Output = turmoil::Result> + 'static) {
    let mut sim = turmoil::Builder::new()
        .rng_seed(seed)
        .tick_duration(TICK)
        .simulation_duration(Duration::from_secs(900))
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(20))
        .build();
    let history = Shared::default();
    for (host, (room, pace)) in (1..).zip(disks) {
        let world = HostWorld {
            room: room.clone(),
            pace: pace.clone(),
            ..world(seed, host)
        };
        let history = history.clone();
        sim.host(address(host).as_str(), move || serve(world.clone(), history.clone()));
    }
    sim.client("10.2.0.1", script);
    sim.run().expect("the script ends");
    assert!(history.lock().violations.is_empty(), "{:?}", history.lock().violations);
}

fn world(seed: u64, host: u64) -> HostWorld {
    HostWorld {
        seed,
        host,
        incarnation: 0,
        fault: DiskFault::None,
        ..HostWorld::default()
    }
}

#[test]
fn a_node_with_a_full_disk_leads_nothing_refuses_growth_and_recovers_by_itself() {
    for seed in 0..3 {
        println!("seed {seed}");
        let disks: Vec<(Room, Pace)> = (0..HOSTS).map(|_| (Room::free(500), Pace::default())).collect();
        let rooms = disks.iter().map(|(room, _)| room.clone()).collect();
        simulate(seed, &disks, script(world(seed, 100), rooms));
    }
}

/// Leader and term of each shard, as its leader says; a shard without one is left out.
fn leaders(all: &[NodeStatus]) -> Vec<(u64, u64, u64)> {
    let mut leaders: Vec<(u64, u64, u64)> = all
        .iter()
        .flat_map(|status| status.replicas.iter().map(|replica| (status.node.0, replica)))
        .filter(|(_, replica)| replica.role == ReplicaRole::Leader)
        .map(|(node, replica)| (replica.shard.0, node, replica.term.0))
        .collect();
    leaders.sort_unstable();
    leaders
}

/// Writes for so many seconds of simulated time; all must go through. The longest of them.
async fn write_for(nodes: &[NodeClient], seconds: u64) -> Duration {
    let now = || turmoil::sim_elapsed().expect("inside the simulation");
    let (until, mut longest) = (now() + Duration::from_secs(seconds), Duration::ZERO);
    while now() < until {
        let began = now();
        // Its own time is a version that grows.
        let version = u64::try_from(began.as_millis()).expect("a short run");
        assert!(put_everywhere(nodes, version).await);
        longest = longest.max(now() - began);
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    longest
}

async fn slow_disks(world: HostWorld, paces: Vec<Pace>) -> turmoil::Result {
    let nodes = clients(&env(&world));
    let groups = layout().groups().count();
    let slow = |all: &[NodeStatus]| {
        all.iter()
            .filter(|s| s.disk_speed.slow)
            .map(|s| s.node.0)
            .collect::<Vec<_>>()
    };
    until("a leader of every group", || async {
        leaders(&statuses(&nodes).await).len() == groups
    })
    .await;
    write_for(&nodes, 5).await;

    // The disk of who leads the first shard stalls: others lead everything, and writes are quick again.
    let written = layout().owner(Slot::of(key(1).author)).shard.0;
    let before = leaders(&statuses(&nodes).await);
    let first = before
        .iter()
        .find(|(shard, ..)| *shard == written)
        .expect("it is led")
        .1;
    paces[first as usize - 1].set(700);
    write_for(&nodes, 20).await;
    let all = statuses(&nodes).await;
    assert_eq!(slow(&all), [first]);
    let after = leaders(&all);
    assert_eq!(after.len(), groups);
    assert!(after.iter().all(|(_, node, _)| *node != first), "{before:?} {after:?}");
    let longest = write_for(&nodes, 20).await;
    assert!(longest < Duration::from_millis(300), "{longest:?}");

    // All disks stall: nobody has a better place for a leader, and writes go on, slowly. The first that notices may still
    // hand over to one that has not.
    paces.iter().for_each(|pace| pace.set(400));
    write_for(&nodes, 20).await;
    let settled = leaders(&statuses(&nodes).await);
    write_for(&nodes, 120).await;
    let all = statuses(&nodes).await;
    // A disk with no replica has nothing to write.
    let in_use = |status: &&NodeStatus| !status.replicas.is_empty();
    assert_eq!(slow(&all).len(), all.iter().filter(in_use).count());
    assert_eq!(leaders(&all), settled, "leadership moves although it is nowhere better");

    // They are quick again: nothing is slow, and leaderships stay.
    paces.iter().for_each(|pace| pace.set(0));
    write_for(&nodes, 65).await;
    let all = statuses(&nodes).await;
    assert_eq!(slow(&all), [0; 0]);
    assert!(
        all.iter()
            .filter(in_use)
            .all(|status| status.disk_speed.stalls > 0 && status.disk_speed.recent_stalls == 0)
    );
    assert_eq!(leaders(&all), settled);
    Ok(())
}

#[test]
fn a_node_with_a_slow_disk_lets_others_lead_and_where_all_are_slow_nobody_moves() {
    for seed in 0..3 {
        println!("seed {seed}");
        let disks: Vec<(Room, Pace)> = (0..HOSTS).map(|_| <(Room, Pace)>::default()).collect();
        let paces = disks.iter().map(|(_, pace)| pace.clone()).collect();
        simulate(seed, &disks, slow_disks(world(seed, 100), paces));
    }
}
