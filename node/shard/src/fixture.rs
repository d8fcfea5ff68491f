//! What the tests of this crate share: a replica in a temporary folder, posts, and random logs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use covey_ann::{Backend, IndexSpec, Metric};
use covey_embeddings::{PartitionOptions, SpaceSpec};
use covey_env::Env;
use covey_shared::command::*;
use covey_shared::ids::*;
use covey_shared::layout::FIRST_EPOCH;
use covey_shared::members::{ChangeKind, MemberChange, Members, ShardDescriptor};
use covey_shared::model::*;
use covey_shared::slots::{Slot, SlotRange};
use covey_shared::wire::*;
use covey_store::kv::{JournalKv, KeyRange, KvBatch, KvStore};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::*;

pub(crate) const DIM: usize = 8;
/// Log time of the first entry.
pub(crate) const START: u64 = 1_700_000_000_000;
pub(crate) const HALF: SlotRange = SlotRange { start: 0, end: 8192 };

/// A key-value store in a folder of its own; clones are the same store.
#[derive(Clone)]
pub(crate) struct TestKv {
    pub(crate) store: Arc<dyn KvStore>,
    _dir: Arc<tempfile::TempDir>,
}

impl TestKv {
    pub(crate) fn new(env: &Env) -> TestKv {
        let dir = tempfile::tempdir().expect("there is room for a directory");
        let store =
            Arc::new(JournalKv::open(Arc::clone(&env.disk), &dir.path().join("kv")).expect("the store is sound"));
        TestKv {
            store,
            _dir: Arc::new(dir),
        }
    }

    /// A copy of its present state.
    pub(crate) fn fork(&self, env: &Env) -> TestKv {
        let fork = TestKv::new(env);
        let mut batch = KvBatch::new();
        let mut copy = |key: &[u8], value: &[u8]| {
            batch.put(key, value);
            std::ops::ControlFlow::Continue(())
        };
        self.store.scan(&KeyRange::all(), &mut copy).expect("the disk works");
        fork.store.commit(&batch).expect("the disk works");
        fork
    }
}

/// A replica and where it lives.
pub(crate) struct Replica {
    pub(crate) env: Env,
    pub(crate) dir: tempfile::TempDir,
    pub(crate) kv: TestKv,
    pub(crate) options: ShardOptions,
    pub(crate) store: ShardStore,
    pub(crate) log_time: u64,
}

/// Replica of shard 7 that it was founded with, by its node.
pub(crate) fn founder(node: u64) -> ReplicaId {
    ReplicaId::new(0, ShardId(7), NodeId(node))
}

pub(crate) fn options(generation: u32, slots: SlotRange) -> ShardOptions {
    ShardOptions {
        descriptor: ShardDescriptor {
            shard: ShardId(7),
            slots,
            epoch: FIRST_EPOCH,
            members: Members::of([1, 2, 3].map(founder)),
        },
        generation: Generation(generation),
        content: SpaceSpec {
            name: "content".into(),
            dim: DIM,
            metric: Metric::InnerProduct,
            model_epoch: ModelEpoch(0),
        },
        partition: PartitionOptions {
            backend: Backend::ExactScan,
            index: IndexSpec::parse("Flat", Metric::InnerProduct, DIM).expect("no index is one, too"),
            seal_rows: 256,
            ..PartitionOptions::default()
        },
        action_memory: Duration::from_secs(60),
        served_memory: Duration::from_secs(600),
        popular_half_life: Duration::from_secs(3600),
        active_half_life: Duration::from_secs(1800),
        small_author_followers: 2,
        limits: ShardLimits {
            actions: 16,
            served_deltas: 4,
            follows: 8,
            topics: 3,
            trim_records: 5,
            ..ShardLimits::default()
        },
        in_network: InNetworkLimits {
            scan_per_author: 12,
            originals_per_author: 5,
            secondary_per_author: 3,
        },
        impressions: ImpressionOptions {
            per_generation: 20,
            generations: 2,
            false_positives: 0.01,
        },
    }
}

impl Replica {
    pub(crate) fn new() -> Replica {
        Replica::with(options(1, SlotRange::ALL))
    }

    pub(crate) fn with(options: ShardOptions) -> Replica {
        Replica::on(Env::production(1).expect("a thread can be started"), options)
    }

    pub(crate) fn on(env: Env, options: ShardOptions) -> Replica {
        let dir = tempfile::tempdir().expect("there is room for a directory");
        let kv = TestKv::new(&env);
        let folder = replica_dir(dir.path(), options.descriptor.shard, options.generation);
        let (store, report) =
            ShardStore::open(&env, Arc::clone(&kv.store), &folder, options.clone()).expect("the replica is sound");
        assert!(report.created);
        Replica {
            env,
            dir,
            kv,
            options,
            store,
            log_time: START,
        }
    }

    /// Where its vectors are.
    pub(crate) fn folder(&self) -> PathBuf {
        replica_dir(self.dir.path(), self.options.descriptor.shard, self.options.generation)
    }

    /// Closes and opens again, on the same files.
    pub(crate) fn reopen(self) -> (Replica, OpenReport) {
        let kv = self.kv.clone();
        self.reopen_on(kv)
    }

    /// Opens again with another key-value store, for example one that is behind the partition, as after a power loss.
    pub(crate) fn reopen_on(self, kv: TestKv) -> (Replica, OpenReport) {
        let Replica {
            env,
            dir,
            options,
            store,
            log_time,
            ..
        } = self;
        drop(store);
        let folder = replica_dir(dir.path(), options.descriptor.shard, options.generation);
        let (store, report) =
            ShardStore::open(&env, Arc::clone(&kv.store), &folder, options.clone()).expect("the replica is sound");
        (
            Replica {
                env,
                dir,
                kv,
                options,
                store,
                log_time,
            },
            report,
        )
    }

    /// Applies one command a second after the last one.
    pub(crate) fn apply(&mut self, body: ShardCommand) -> Vec<ItemResult> {
        self.log_time += 1000;
        let entry = entry(self.store.applied().index.0 + 1, self.log_time, body);
        self.store
            .apply(&[entry])
            .expect("the entries follow each other")
            .remove(0)
    }

    pub(crate) fn put(&mut self, post: Post) -> ItemResult {
        self.apply(ShardCommand::PutPosts(vec![post])).remove(0)
    }

    pub(crate) fn view(&self) -> Arc<ShardView> {
        self.store.view()
    }

    pub(crate) fn get(&self, key: PostKey) -> Option<PostView> {
        let query = GetPostsQuery {
            shards: vec![],
            keys: vec![key],
            with_vectors: true,
        };
        self.view().get_posts(&query).expect("the query is sound").value.pop()
    }

    pub(crate) fn viewer(&self, viewer: u64) -> ViewerState {
        self.view()
            .viewer(&viewer_query(viewer))
            .expect("the query is sound")
            .value
    }
}

pub(crate) fn viewer_query(viewer: u64) -> ViewerQuery {
    let shard = ShardRead::of(ShardId(7), 1);
    ViewerQuery {
        shard,
        viewer: UserId(viewer),
        max_actions: 4096,
        served_since: UnixMillis(0),
    }
}

pub(crate) fn in_network_query(viewer: u64, authors: impl IntoIterator<Item = u64>) -> InNetworkQuery {
    let authors: Vec<UserId> = authors.into_iter().map(UserId).collect();
    InNetworkQuery {
        shards: vec![],
        viewer: UserId(viewer),
        followed: authors.clone(),
        authors,
        exclude: vec![],
        video_only: false,
        max_results: 1000,
        created_from: UnixMillis(0),
        complete: false,
        start: None,
    }
}

pub(crate) fn search_query(vector: Vec<f32>, k: u32, filter: SearchFilter) -> SearchQuery {
    SearchQuery {
        shards: vec![],
        space: "content".into(),
        model_epoch: ModelEpoch(0),
        vectors: vec![vector],
        k,
        exact: true,
        recall_target: 0.0,
        filter,
    }
}

pub(crate) fn lists_query(lists: &[(RankedBy, u32)], now: u64) -> ListsQuery {
    let group = ListGroup::All;
    let lists = lists.iter().map(|&(by, posts)| ListAsk { by, group, posts });
    ListsQuery {
        shards: vec![],
        lists: lists.collect(),
        now: UnixMillis(now),
        filter: SearchFilter::default(),
    }
}

pub(crate) fn entry(index: u64, log_time: u64, body: ShardCommand) -> EntryToApply {
    let proposal = Proposal {
        epoch: ShardEpoch::default(),
        log_time: UnixMillis(log_time),
        body,
    };
    EntryToApply {
        index: LogIndex(index),
        term: Term(1),
        payload: Payload::Command(proposal),
    }
}

/// A change of members that was made for `expected`.
pub(crate) fn members_entry(index: u64, expected: u64, kind: ChangeKind) -> EntryToApply {
    EntryToApply {
        index: LogIndex(index),
        term: Term(1),
        payload: Payload::Members(MemberChange { expected, kind }),
    }
}

pub(crate) fn key(author: u64, post: u64) -> PostKey {
    PostKey {
        author: UserId(author),
        post: PostId(post),
    }
}

/// A vector that depends on `seed` alone.
pub(crate) fn vector(seed: u64) -> Vec<f32> {
    let mut rng = SmallRng::seed_from_u64(seed);
    (0..DIM)
        .map(|_| half::f16::from_f32(rng.random_range(-1.0..1.0)).to_f32())
        .collect()
}

/// An original with a text and a vector, written at the start of the log.
pub(crate) fn post(author: u64, post: u64, version: u64) -> Post {
    Post {
        key: key(author, post),
        version: Version(version),
        created_at: UnixMillis(START),
        text: format!("post {post} v{version}"),
        language: Language(*b"en"),
        vector: F16Vector::from_f32(&vector(post * 1000 + version)),
        ..Post::default()
    }
}

pub(crate) fn reference(author: u64, post: u64, hint: RefHint) -> Option<PostRef> {
    Some(PostRef {
        key: key(author, post),
        hint,
    })
}

pub(crate) fn action(viewer: u64, sequence: u64, kind: ActionKind, post: PostKey) -> Action {
    Action {
        viewer: UserId(viewer),
        id: ActionId {
            client: 1,
            sequence,
            item: 0,
        },
        kind,
        post,
        at: UnixMillis(START + sequence),
        dwell_ms: 0,
        surface: 1,
        prediction_request_id: 0,
    }
}

/// The `n`-th user whose slot lies in (or outside) the lower half.
pub(crate) fn user_in_half(n: usize, inside: bool) -> u64 {
    (1..)
        .filter(|id| HALF.contains(Slot::of(UserId(*id))) == inside)
        .nth(n)
        .expect("there are users in both halves")
}
