//! What a replica counts of itself against what the process takes. A process of its own: nothing else grows in it.

use std::sync::Arc;
use std::time::Duration;

use covey_ann::{Backend, Metric};
use covey_embeddings::{PartitionOptions, SpaceSpec, Step};
use covey_env::Env;
use covey_shard::{
    EntryToApply, ImpressionOptions, InNetworkLimits, Payload, Pressure, ShardLimits, ShardOptions, ShardStore,
};
use covey_shared::command::{Proposal, ShardCommand};
use covey_shared::ids::{
    Generation, LogIndex, ModelEpoch, PostId, PostKey, ReplicaId, ShardEpoch, ShardId, Term, UnixMillis, UserId,
    Version,
};
use covey_shared::members::{Members, ShardDescriptor};
use covey_shared::model::{F16Vector, Post, Topics};
use covey_shared::slots::SlotRange;
use covey_store::kv::{FjallKv, FjallOptions, KvStore};
use covey_telemetry::process_stats;

const START: u64 = 1_700_000_000_000;
const DIM: usize = 64;
const POSTS: u64 = 60_000;
const BATCH: u64 = 500;

fn options() -> ShardOptions {
    ShardOptions {
        descriptor: ShardDescriptor {
            shard: ShardId(1),
            slots: SlotRange::ALL,
            epoch: ShardEpoch::default(),
            members: Members::of([ReplicaId(1)]),
        },
        generation: Generation(1),
        content: SpaceSpec {
            name: "content".into(),
            dim: DIM,
            metric: Metric::InnerProduct,
            model_epoch: ModelEpoch(0),
        },
        partition: PartitionOptions {
            backend: Backend::ExactScan,
            seal_rows: 2048,
            ..PartitionOptions::default()
        },
        action_memory: Duration::from_secs(60),
        served_memory: Duration::from_secs(600),
        popular_half_life: Duration::from_secs(3600),
        active_half_life: Duration::from_secs(1800),
        small_author_followers: 2,
        limits: ShardLimits {
            memory_bytes: 8 << 20,
            trim_records: POSTS as usize,
            ..ShardLimits::default()
        },
        in_network: InNetworkLimits::default(),
        impressions: ImpressionOptions::default(),
    }
}

fn post(number: u64) -> Post {
    let vector: Vec<f32> = (0..DIM as u64)
        .map(|at| ((number * 31 + at * 17) % 97) as f32 - 48.0)
        .collect();
    Post {
        key: PostKey {
            author: UserId(1 + number % 5000),
            post: PostId(number),
        },
        version: Version(1),
        created_at: UnixMillis(START + number),
        text: "about as long as a short post is".into(),
        vector: F16Vector::from_f32(&vector),
        // As clients may: as many lists of topics as there can be.
        topics: Topics([1 + number as u32, 0, 0, 0]),
        ..Post::default()
    }
}

fn entry(index: u64, body: ShardCommand) -> EntryToApply {
    EntryToApply {
        index: LogIndex(index),
        term: Term(1),
        payload: Payload::Command(Proposal {
            epoch: ShardEpoch::default(),
            log_time: UnixMillis(START + 10 * POSTS),
            body,
        }),
    }
}

fn heap(store: &ShardStore) -> u64 {
    store.stats().memory.iter().map(|part| part.heap_bytes).sum()
}

fn anonymous() -> u64 {
    process_stats().expect("Linux has /proc").anonymous_bytes
}

#[test]
fn the_parts_add_up_to_what_the_process_grows_by_and_press_when_they_are_too_many() {
    let (env, dir) = (Env::production(1).unwrap(), tempfile::tempdir().unwrap());
    let small = FjallOptions {
        cache_bytes: 1 << 20,
        memtable_bytes: 1 << 20,
        ..FjallOptions::default()
    };
    let kv = Arc::new(FjallKv::open(env.disk.clone(), &dir.path().join("kv"), &small).unwrap());
    let (mut store, _) = ShardStore::open(&env, kv.clone(), &dir.path().join("shard"), options()).unwrap();
    let maintainer = store.maintainer();
    let (parts_before, process_before) = (heap(&store), anonymous());
    assert_eq!(store.pressure(), None);
    let mut index = 0;
    for first in (1..=POSTS).step_by(BATCH as usize) {
        index += 1;
        let posts = (first..first + BATCH).map(post).collect();
        store.apply(&[entry(index, ShardCommand::PutPosts(posts))]).unwrap();
        while maintainer.step().unwrap() != Step::Idle {}
        store.checkpoint().unwrap();
    }
    kv.persist().unwrap();
    let of_kv = kv.usage().unwrap();
    let parts = heap(&store) - parts_before + of_kv.memtable_bytes + of_kv.cache_bytes + of_kv.index_bytes;
    let process = anonymous() - process_before;
    println!("parts {parts}, process {process}, {:?}", store.stats().memory);
    // 248 bytes of columns, and ids, locator and records at least.
    assert!(parts > POSTS * 300, "{parts}");
    assert!(
        parts < process * 13 / 10,
        "parts {parts} are not there: the process grew by {process}"
    );
    assert!(
        process < parts * 3 / 2 + (16 << 20),
        "the process grew by {process}, its parts only by {parts}"
    );
    assert_eq!(store.pressure(), Some(Pressure::Memory), "the budget is 8 MiB");

    store
        .apply(&[entry(
            index + 1,
            ShardCommand::TrimBefore(UnixMillis(START + 2 * POSTS)),
        )])
        .unwrap();
    while maintainer.step().unwrap() != Step::Idle {}
    store.checkpoint().unwrap();
    assert_eq!(store.stats().posts, 0);
    let left = heap(&store);
    assert!(
        left < parts / 4,
        "{left} of {parts} are left of no posts: {:?}",
        store.stats().memory
    );
    assert_eq!(store.pressure(), None);
}
