//! A record that is gone without a word is found by comparing replicas, and comes back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use covey_rpc::NodeClient;
use covey_shared::ids::{ModelEpoch, PostId, PostKey, UserId};
use covey_shared::wire::{Class, GetPostsQuery, ReplyBody, RequestBody, ShardRead};

use super::*;
use crate::client::{clients, layout, put, replicate};
use crate::cluster::{HOSTS, address, serve};
use crate::env::{HostWorld, env};
use crate::history::Shared;

const POSTS: u64 = 40;
const CALL: Duration = Duration::from_secs(2);
/// Simulated seconds in which the record must be back.
const PATIENCE: u64 = 60;

fn key(post: u64) -> PostKey {
    PostKey {
        author: UserId(1000 + post % 7),
        post: PostId(post),
    }
}

/// How many of the posts a node has; none while it does not answer for all its shards.
async fn held(node: &NodeClient) -> usize {
    let read = |plan: &covey_shared::layout::ShardPlan| ShardRead::of(plan.shard, plan.epoch.range_ver);
    let query = GetPostsQuery {
        shards: layout().shards.iter().map(read).collect(),
        keys: (1..=POSTS).map(key).collect(),
        with_vectors: false,
    };
    let reply = node
        .call(Class::Query, CALL, RequestBody::GetPosts(query), ModelEpoch(0))
        .await;
    let Ok(ReplyBody::GetPosts(replies)) = reply else {
        return 0;
    };
    let found: Result<Vec<_>, _> = replies.into_iter().map(|reply| reply.result).collect();
    found.map_or(0, |found| found.iter().map(Vec::len).sum())
}

async fn script(world: HostWorld, written: Arc<AtomicBool>, missed: Arc<AtomicBool>) -> turmoil::Result {
    let nodes = clients(&env(&world));
    for post in 1..=POSTS {
        let until = turmoil::sim_elapsed().expect("inside the simulation") + Duration::from_secs(PATIENCE);
        let written = replicate(&nodes, &layout(), key(post).author, put(key(post), 1), until).await;
        assert!(written.is_some());
    }
    // The last one is applied everywhere, and in a checkpoint.
    tokio::time::sleep(Duration::from_secs(5)).await;
    written.store(true, Ordering::Relaxed);
    for _ in 0..PATIENCE * 10 {
        let held = held(&nodes[1]).await;
        missed.fetch_or(held == POSTS as usize - 1, Ordering::Relaxed);
        if missed.load(Ordering::Relaxed) && held == POSTS as usize {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err("the record did not come back".into())
}

#[test]
fn a_record_that_is_gone_without_a_word_is_missed_by_the_others() {
    for seed in 0..5 {
        println!("seed {seed}");
        let mut sim = turmoil::Builder::new()
            .rng_seed(seed)
            .simulation_duration(Duration::from_secs(300))
            .build();
        let (loss, history) = (NextLoss::default(), Shared::default());
        let world = |host| HostWorld {
            seed,
            host,
            ..HostWorld::default()
        };
        for host in 1..=HOSTS {
            let (mut world, history) = (world(host), history.clone());
            if host == 2 {
                world.loss = loss.clone();
            }
            sim.host(address(host).as_str(), move || serve(world.clone(), history.clone()));
        }
        let (written, missed) = (Arc::new(AtomicBool::default()), Arc::new(AtomicBool::default()));
        sim.client("10.2.0.1", script(world(100), written.clone(), missed.clone()));
        while !written.load(Ordering::Relaxed) {
            assert!(!sim.step().expect("the script goes on"), "the script waits");
        }
        loss.set(Loss::Record);
        sim.crash(address(2).as_str());
        sim.bounce(address(2).as_str());
        sim.run().expect("the script ends");
        let history = history.lock();
        assert!(history.violations.is_empty(), "{:?}", history.violations);
        assert!(
            missed.load(Ordering::Relaxed) && history.snapshots == 1,
            "one replica was built anew"
        );
    }
}
