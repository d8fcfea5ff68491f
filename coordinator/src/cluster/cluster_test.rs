//! Reads and writes over nodes that die, hang and refuse. Nothing here waits for a clock to be right.

use covey_shared::command::ShardCommand;
use covey_shared::ids::{LogIndex, PostId, PostKey, UnixMillis};
use covey_shared::model::{F16Vector, Post};
use covey_shared::score::{Hit, Score, merge_top_k};
use covey_shared::session::{Seen, SessionToken};
use covey_shared::slots::Slot;
use covey_shared::wire::{NotReady, RequestBody, SearchFilter, ShardError};

use super::testing::{BYTES, Mood, World, cluster};
use super::*;

fn context(cluster: &Cluster) -> ReadContext {
    ReadContext::query(cluster.now().plus(Duration::from_secs(20)), SessionToken::default())
}

/// `n` posts of `n / 3` authors, each with a vector of its own.
fn fill(world: &World, n: u64) -> Vec<Post> {
    let posts: Vec<Post> = (1..=n)
        .map(|id| Post {
            key: PostKey {
                author: UserId(id % (n / 3).max(1) + 1),
                post: PostId(id),
            },
            vector: F16Vector::from_f32(&[(id % 17) as f32, (id % 5) as f32]),
            ..Post::default()
        })
        .collect();
    world.posts.lock().extend(posts.iter().map(|p| (p.key, p.clone())));
    posts
}

fn ask(k: usize) -> SearchAsk {
    SearchAsk {
        space: "content".into(),
        vectors: vec![vec![1.0, 2.0]],
        k,
        exact: true,
        recall_target: 0.0,
        filter: SearchFilter::default(),
    }
}

fn brute_force(posts: &[Post], k: usize) -> Vec<Hit> {
    let hit = |post: &Post| {
        let v = post.vector.to_f32();
        Hit {
            key: post.key,
            slot: Slot::of(post.author()).0,
            score: Score::or_lowest(v[0] + 2.0 * v[1]),
        }
    };
    merge_top_k(posts.iter().map(hit).collect(), k)
}

#[actix::test]
async fn search_equals_one_pass_over_everything_with_a_call_per_node() {
    let (cluster, world) = cluster();
    let posts = fill(&world, 400);
    for k in [1, 10, 100, 400, 1000] {
        let found = cluster.search(ask(k), &context(&cluster)).await.unwrap();
        assert_eq!(found.value, brute_force(&posts, k), "k = {k}");
        assert_eq!(found.report.coverage(), 1.0);
        assert_eq!(found.report.staleness_ms, 3);
        assert!(!found.report.partial);
        let (report, answered) = (&found.report, found.report.bytes / BYTES);
        let unhedged = report.calls - report.hedges;
        assert!(
            (u64::from(unhedged)..=u64::from(report.calls)).contains(&answered),
            "{report:?}"
        );
    }
    world.calls.lock().clear();
    cluster.search(ask(1), &context(&cluster)).await.unwrap();
    assert!(world.calls.lock().len() <= 3, "one call per node");
}

#[actix::test]
async fn reads_are_complete_while_one_replica_of_each_shard_lives() {
    let (cluster, world) = cluster();
    let posts = fill(&world, 100);
    for (node, mood) in [(1, Mood::Down), (2, Mood::Hangs)] {
        world.set(node, mood);
        for _ in 0..10 {
            let found = cluster.search(ask(20), &context(&cluster)).await.unwrap();
            assert_eq!(found.report.coverage(), 1.0);
            assert_eq!(found.value, brute_force(&posts, 20));
        }
    }
}

#[actix::test]
async fn a_replica_with_old_answers_is_left_alone_and_old_answers_for_want_of_others_are_named() {
    let (cluster, world) = cluster();
    let posts = fill(&world, 100);
    world.set(1, Mood::Aged(u32::MAX));
    for _ in 0..3 {
        let found = cluster.search(ask(20), &context(&cluster)).await.unwrap();
        assert_eq!(found.value, brute_force(&posts, 20));
        assert_eq!((found.report.staleness_ms, found.report.flaws().count()), (3, 0));
    }
    world.calls.lock().clear();
    let found = cluster.search(ask(20), &context(&cluster)).await.unwrap();
    let asked = world.calls.lock().iter().filter(|(node, _)| *node == NodeId(1)).count();
    // Only who waits too long for the others wants an old answer, too.
    assert!(
        asked <= found.report.hedges as usize,
        "it has just been old: {asked} calls"
    );
    (1..=3).for_each(|node| world.set(node, Mood::Aged(60_000)));
    let old = cluster.search(ask(20), &context(&cluster)).await.unwrap();
    assert_eq!((old.value, old.report.coverage()), (brute_force(&posts, 20), 1.0));
    let flaws: Vec<_> = old.report.flaws().map(|(_, reason)| reason).collect();
    assert_eq!(flaws, ["older than rpc.max_staleness"; 8]);
    // A read for which age matters goes without them.
    let context = context(&cluster).within(Duration::from_millis(700));
    let none = cluster.search(ask(20), &context).await;
    assert!(none.is_err(), "{none:?}");
    world.set(2, Mood::Aged(700));
    let found = cluster.search(ask(20), &context).await.unwrap();
    assert_eq!((found.value, found.report.staleness_ms), (brute_force(&posts, 20), 700));
}

#[actix::test]
async fn shard_that_no_replica_answers_for_is_missing_and_nothing_else() {
    let (cluster, world) = cluster();
    let posts = fill(&world, 300);
    for node in 1..=3 {
        world.set(node, Mood::Refuses(vec![4], ShardError::NotReady(NotReady::Stale)));
    }
    let found = cluster.search(ask(300), &context(&cluster)).await.unwrap();
    let slots = cluster.map.load().slots(ShardId(4)).unwrap();
    assert_eq!(
        found.report.missing_shards.iter().copied().collect::<Vec<_>>(),
        [ShardId(4)]
    );
    assert_eq!(found.report.coverage(), 1.0 - f64::from(slots.count()) / 16_384.0);
    let others: Vec<Post> = posts
        .into_iter()
        .filter(|p| !slots.contains(Slot::of(p.author())))
        .collect();
    assert_eq!(found.value, brute_force(&others, 300));
}

#[actix::test]
async fn shard_that_leaves_damaged_rows_out_is_covered_and_named() {
    let (cluster, world) = cluster();
    fill(&world, 300);
    for node in 1..=3 {
        world.set(node, Mood::Damaged(vec![4, 6]));
    }
    // Several rounds, of which each may ask only some shards.
    for k in [1, 20, 300] {
        let report = cluster.search(ask(k), &context(&cluster)).await.unwrap().report;
        assert_eq!((report.coverage(), report.missing_shards.len()), (1.0, 0));
        let damaged: Vec<_> = report.flaws().map(|(component, _)| component).collect();
        assert_eq!(damaged, ["shard 4", "shard 6"], "k = {k}");
    }
}

#[actix::test]
async fn everything_down_is_an_error_after_a_bounded_number_of_calls() {
    let (cluster, world) = cluster();
    (1..=3).for_each(|node| world.set(node, Mood::Down));
    let error = cluster.search(ask(5), &context(&cluster)).await.unwrap_err();
    assert!(matches!(error, ReadError::NoAnswer { .. }), "{error}");
    assert!(world.calls.lock().len() <= 3 * 3 * 4);
}

#[actix::test]
async fn invalid_query_is_an_error_of_the_caller() {
    let (cluster, world) = cluster();
    let invalid = ShardError::Invalid(covey_shared::wire::InvalidRequest::WrongDimension);
    (1..=3).for_each(|node| world.set(node, Mood::Refuses((1..=8).collect(), invalid.clone())));
    let error = cluster.search(ask(5), &context(&cluster)).await.unwrap_err();
    assert!(matches!(error, ReadError::Invalid(_)), "{error}");
}

#[actix::test]
async fn only_the_owners_of_the_keys_are_asked_and_all_without_an_author() {
    let (cluster, world) = cluster();
    let posts = fill(&world, 90);
    let wanted = posts[7].key;
    let found = cluster.get_posts(&[wanted], false, &context(&cluster)).await.unwrap();
    assert_eq!(found.value[0].post, posts[7]);
    assert_eq!(
        world.asked_shards().into_iter().collect::<Vec<_>>(),
        [cluster.shard_of(wanted.author)]
    );
    let anywhere = PostKey {
        author: UserId(0),
        ..wanted
    };
    let found = cluster.get_posts(&[anywhere], false, &context(&cluster)).await.unwrap();
    assert_eq!(found.value.len(), 1);
    assert_eq!(world.asked_shards().len(), 8);
}

#[actix::test]
async fn nothing_asked_is_a_complete_answer() {
    let (cluster, world) = cluster();
    let found = cluster
        .in_network(InNetworkAsk::default(), &context(&cluster))
        .await
        .unwrap();
    assert!(found.value.is_empty());
    assert_eq!(found.report.coverage(), 1.0);
    assert!(world.calls.lock().is_empty());
}

#[actix::test]
async fn reads_carry_the_session_token_and_extend_it() {
    let (cluster, world) = cluster();
    *world.index.lock() = 9;
    let shard = cluster.shard_of(UserId(5));
    let mut token = SessionToken::default();
    token.observe(Seen {
        shard,
        range_ver: 1,
        index: LogIndex(7),
    });
    let context = ReadContext {
        token,
        ..context(&cluster)
    };
    let state = cluster.viewer(UserId(5), 10, UnixMillis(0), &context).await.unwrap();
    assert_eq!(state.report.token.min_index(shard), LogIndex(9));
    let calls = world.calls.lock();
    let RequestBody::Viewer(query) = &calls[0].1 else {
        panic!("{calls:?}")
    };
    assert_eq!(query.shard.min_index, LogIndex(7));
}

fn put(author: u64) -> ShardCommand {
    let key = PostKey {
        author: UserId(author),
        post: PostId(1),
    };
    ShardCommand::PutPosts(vec![Post { key, ..Post::default() }])
}

#[actix::test]
async fn write_follows_the_hint_and_remembers_the_leader() {
    let (cluster, world) = cluster();
    let shard = cluster.shard_of(UserId(5));
    let map = cluster.map.load();
    let voters = &map.shard(shard).unwrap().voters;
    world.leaders.lock().insert(shard, voters[2].node);
    let deadline = cluster.now().plus(Duration::from_secs(20));
    cluster.write(shard, put(5), deadline).await.unwrap();
    assert_eq!(world.calls.lock().len(), 2);
    cluster.write(shard, put(5), deadline).await.unwrap();
    assert_eq!(
        world.calls.lock().len(),
        3,
        "the second write goes to the leader at once"
    );
}

#[actix::test]
async fn write_whose_replies_get_lost_is_uncertain_and_one_that_never_arrives_is_unavailable() {
    let (cluster, world) = cluster();
    let shard = cluster.shard_of(UserId(5));
    let soon = || cluster.now().plus(Duration::from_millis(150));
    (1..=3).for_each(|node| world.set(node, Mood::LosesReplies));
    assert_eq!(
        cluster.write(shard, put(5), soon()).await,
        Err(WriteError::Uncertain { shard })
    );
    assert_eq!(world.posts.lock().len(), 1, "it was done");
    // By now the breakers are open: nothing goes out.
    let error = cluster.write(shard, put(5), soon()).await.unwrap_err();
    assert!(matches!(
        error,
        WriteError::Unavailable { .. } | WriteError::Uncertain { .. }
    ));
}

#[actix::test]
async fn write_survives_a_change_of_the_leader() {
    let (cluster, world) = cluster();
    let shard = cluster.shard_of(UserId(5));
    let voters = cluster.map.load().shard(shard).unwrap().voters.clone();
    world.set(voters[0].node.0, Mood::Down);
    world.leaders.lock().insert(shard, voters[1].node);
    let deadline = cluster.now().plus(Duration::from_secs(20));
    cluster.write(shard, put(5), deadline).await.unwrap();
    assert_eq!(world.posts.lock().len(), 1);
}

#[actix::test]
async fn shards_are_unreachable_until_a_node_has_answered() {
    let (cluster, world) = cluster();
    assert_eq!(cluster.unreachable_shards().len(), 8);
    fill(&world, 30);
    cluster.search(ask(5), &context(&cluster)).await.unwrap();
    assert!(cluster.unreachable_shards().is_empty());
}
