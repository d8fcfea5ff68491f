//! Reads on other threads while entries are applied, and the production key-value store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;

use covey_env::Env;
use covey_shared::command::ShardCommand;
use covey_shared::ids::*;
use covey_shared::wire::*;
use covey_store::kv::{FjallKv, FjallOptions, KvStore};

use crate::fixture::*;
use crate::random_log::random_log;
use crate::*;

const POSTS: u64 = 5;

/// Every post has to be there exactly once, at each moment.
fn read_all(view: &ShardView) {
    let found = view.in_network(&in_network_query(9, [1]), &|| false).unwrap().value;
    let posts: Vec<u64> = found.iter().map(|c| c.key.post.0).collect();
    assert!(
        posts.len() as u64 == POSTS && posts.is_sorted() && posts.windows(2).all(|pair| pair[0] != pair[1]),
        "{posts:?}"
    );
    let query = lists_query(&[(RankedBy::Newest, 100)], START);
    let newest = view.lists(&query, &|| false).unwrap().value;
    assert!(newest[0].len() as u64 <= POSTS);
    let hits = view
        .search(&search_query(vector(1), 100, SearchFilter::default()), &|| false)
        .unwrap()
        .value;
    assert!(hits.len() as u64 <= POSTS, "{hits:?}");
    for post in 1..=POSTS {
        let query = GetPostsQuery {
            shards: vec![],
            keys: vec![key(1, post)],
            with_vectors: false,
        };
        assert_eq!(view.get_posts(&query).unwrap().value.len(), 1, "post {post} vanished");
    }
}

#[test]
fn reads_during_edits_see_every_post_once() {
    let env = Env::production(2).unwrap();
    let mut replica = Replica::new();
    for n in 1..=POSTS {
        replica.put(post(1, n, 1));
    }
    let (done, reads) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (sender, ended) = sync_channel(2);
    for _ in 0..2 {
        let (view, done, reads, sender) = (replica.view(), Arc::clone(&done), Arc::clone(&reads), sender.clone());
        env.spawn.compute(Box::new(move || {
            while !done.load(Ordering::Acquire) {
                read_all(&view);
                reads.fetch_add(1, Ordering::AcqRel);
            }
            sender.send(()).unwrap();
        }));
    }
    drop(sender);
    let mut version = 2;
    while version < 300 || (reads.load(Ordering::Acquire) < 100 && version < 100_000) {
        replica.apply(ShardCommand::PutPosts(
            (1..=POSTS).map(|n| post(1, n, version)).collect(),
        ));
        version += 1;
    }
    done.store(true, Ordering::Release);
    assert_eq!(ended.iter().count(), 2, "a reader failed");
}

#[test]
fn the_production_store_gives_the_same_content_as_the_simulated_one() {
    let log = random_log(77, 200);
    let mut simulated = Replica::new();
    simulated.store.apply(&log).unwrap();
    let (env, dir) = (Env::production(1).unwrap(), tempfile::tempdir().unwrap());
    let path = dir.path().join("kv");
    let kv: Arc<dyn KvStore> = Arc::new(FjallKv::open(env.disk.clone(), &path, &FjallOptions::default()).unwrap());
    let open = |kv: &Arc<dyn KvStore>| {
        ShardStore::open(
            &env,
            Arc::clone(kv),
            &dir.path().join("shard"),
            simulated.options.clone(),
        )
        .unwrap()
        .0
    };
    let mut store = open(&kv);
    for group in log.chunks(7) {
        store.apply(group).unwrap();
    }
    assert_eq!(store.checkpoint().unwrap(), LogIndex(200));
    kv.persist().unwrap();
    let wanted = simulated.view().logical_hash(&|| false).unwrap();
    assert_eq!(store.view().logical_hash(&|| false).unwrap(), wanted);
    drop(store);
    let store = open(&kv);
    assert_eq!(store.view().logical_hash(&|| false).unwrap(), wanted);
    assert_eq!(store.stats().posts, simulated.store.stats().posts);
}
