//! Items of many requests get their own outcomes, whatever happens to the batches.

use std::time::Duration;

use covey_config::Config;
use covey_shared::ids::{PostId, PostKey, UserId};
use covey_shared::model::Post;
use covey_shared::wire::RequestBody;
use futures::future::join_all;

use super::*;
use crate::cluster::testing::{Mood, World, cluster};

fn ingest() -> (Ingest, Arc<Cluster>, Arc<World>) {
    let (cluster, world) = cluster();
    let ingest = Ingest::start(cluster.clone(), &Config::default(), &Threads::Here);
    (ingest, cluster, world)
}

fn post(author: u64, post: u64) -> WriteItem {
    WriteItem::PutPost(Post {
        key: PostKey {
            author: UserId(author),
            post: PostId(post),
        },
        ..Post::default()
    })
}

fn writes(world: &World) -> usize {
    let calls = world.calls.lock();
    calls
        .iter()
        .filter(|(_, body)| matches!(body, RequestBody::Write { .. }))
        .count()
}

#[actix::test]
async fn items_of_many_requests_share_batches_and_all_are_acknowledged() {
    let (ingest, cluster, world) = ingest();
    let deadline = cluster.now().plus(Duration::from_secs(20));
    let requests = (0..50u64).map(|r| {
        let items = (0..20).map(|i| post(i + 1, r * 100 + i + 1)).collect();
        ingest.submit(items, deadline)
    });
    for submitted in join_all(requests).await {
        assert!(submitted.outcomes.iter().all(|o| *o == Ok(Written::Ok)));
        assert!(!submitted.token.is_empty());
    }
    assert_eq!(world.posts.lock().len(), 1000);
    // 8 shards, and a few first tries at a wrong leader are possible; far from one write per request and shard.
    assert!(writes(&world) < 100, "{} writes", writes(&world));
}

#[actix::test]
async fn token_of_a_write_names_where_it_was_applied() {
    let (ingest, cluster, _) = ingest();
    let deadline = cluster.now().plus(Duration::from_secs(20));
    let submitted = ingest.submit(vec![post(5, 1)], deadline).await;
    assert!(submitted.token.min_index(cluster.shard_of(UserId(5))).0 >= 1);
}

#[actix::test]
async fn unreachable_shards_fail_their_items_only() {
    let (ingest, cluster, world) = ingest();
    let shard = cluster.shard_of(UserId(5));
    // The leader of this shard is said to be a node that does not exist.
    world.leaders.lock().insert(shard, covey_shared::ids::NodeId(99));
    let other = (1..).map(UserId).find(|u| cluster.shard_of(*u) != shard).unwrap();
    let deadline = cluster.now().plus(Duration::from_millis(200));
    let submitted = ingest.submit(vec![post(5, 1), post(other.0, 2)], deadline).await;
    // The reply comes when all items have an outcome or the deadline is there; never a false success.
    assert!(submitted.outcomes[0].is_err());
    assert_eq!(world.posts.lock().len(), 1);
}

#[actix::test]
async fn everything_down_is_said_for_each_item() {
    let (ingest, cluster, world) = ingest();
    (1..=3).for_each(|node| world.set(node, Mood::Down));
    let deadline = cluster.now().plus(Duration::from_millis(100));
    let submitted = ingest.submit(vec![post(1, 1), post(2, 2)], deadline).await;
    assert_eq!(submitted.outcomes.len(), 2);
    assert!(submitted.outcomes.iter().all(Result::is_err));
}

#[actix::test]
async fn references_are_looked_up_once_for_the_whole_batch() {
    let (ingest, cluster, world) = ingest();
    let deadline = cluster.now().plus(Duration::from_secs(20));
    ingest.submit(vec![post(1, 10), post(2, 20)], deadline).await;
    world.calls.lock().clear();
    let reference = |author, id| {
        Some(covey_shared::model::PostRef {
            key: PostKey {
                author: UserId(author),
                post: PostId(id),
            },
            hint: Default::default(),
        })
    };
    let mut posts = vec![Post::default(); 3];
    posts[0].reply_to = reference(1, 10);
    posts[1].quote_of = reference(0, 20);
    posts[2].repost_of = reference(9, 99);
    let read = crate::cluster::ReadContext::query(deadline, Default::default());
    fill_references(&cluster, &mut posts.iter_mut().collect::<Vec<_>>(), &read).await;
    assert!(posts[0].reply_to.unwrap().hint.known);
    assert_eq!(posts[1].quote_of.unwrap().key.author, UserId(2));
    assert!(!posts[2].repost_of.unwrap().hint.known);
    assert!(world.calls.lock().len() <= 3, "one call per node");
}
