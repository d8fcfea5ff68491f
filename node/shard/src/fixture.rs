//! What the tests of this crate share: a replica in a temporary folder, posts, and random logs.

use std::sync::Arc;
use std::time::Duration;

use covey_ann::{Backend, IndexSpec, Metric};
use covey_embeddings::{PartitionOptions, SpaceSpec};
use covey_env::Env;
use covey_shared::command::*;
use covey_shared::ids::*;
use covey_shared::model::*;
use covey_shared::slots::{Slot, SlotRange};
use covey_shared::wire::*;
use covey_store::kv::{JournalKv, KeyRange, KvBatch, KvStore};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
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
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(JournalKv::open(Arc::clone(&env.disk), &dir.path().join("kv")).unwrap());
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
        self.store.scan(&KeyRange::all(), &mut copy).unwrap();
        fork.store.commit(&batch).unwrap();
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

pub(crate) fn options(generation: u32, slots: SlotRange) -> ShardOptions {
    ShardOptions {
        shard: ShardId(7),
        generation: Generation(generation),
        slots,
        epoch: ShardEpoch {
            range_ver: 1,
            conf_ver: 1,
        },
        voters: vec![1, 2, 3],
        content: SpaceSpec {
            name: "content".into(),
            dim: DIM,
            metric: Metric::InnerProduct,
            model_epoch: ModelEpoch(0),
        },
        partition: PartitionOptions {
            backend: Backend::ExactScan,
            index: IndexSpec::parse("Flat", Metric::InnerProduct, DIM).unwrap(),
            seal_rows: 256,
            ..PartitionOptions::default()
        },
        retention: None,
        action_memory: Duration::from_secs(60),
        served_memory: Duration::from_secs(600),
        popular_half_life: Duration::from_secs(3600),
        small_author_followers: 2,
        limits: ShardLimits {
            actions: 16,
            served_deltas: 4,
            follows: 8,
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
        let env = Env::production(1).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let kv = TestKv::new(&env);
        let (store, report) =
            ShardStore::open(&env, Arc::clone(&kv.store), &dir.path().join("shard"), options.clone()).unwrap();
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
        let (store, report) =
            ShardStore::open(&env, Arc::clone(&kv.store), &dir.path().join("shard"), options.clone()).unwrap();
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
        self.store.apply(&[entry]).unwrap().remove(0)
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
        self.view().get_posts(&query).unwrap().value.pop()
    }

    pub(crate) fn viewer(&self, viewer: u64) -> ViewerState {
        self.view().viewer(&viewer_query(viewer)).unwrap().value
    }
}

pub(crate) fn viewer_query(viewer: u64) -> ViewerQuery {
    let shard = ShardRead {
        shard: ShardId(7),
        range_ver: 1,
        min_index: LogIndex(0),
    };
    ViewerQuery {
        shard,
        viewer: UserId(viewer),
        max_actions: 4096,
        served_since: UnixMillis(0),
    }
}

pub(crate) fn in_network_query(viewer: u64, authors: impl IntoIterator<Item = u64>) -> InNetworkQuery {
    InNetworkQuery {
        shards: vec![],
        viewer: UserId(viewer),
        authors: authors.into_iter().map(UserId).collect(),
        followed: vec![],
        exclude: vec![],
        video_only: false,
        max_results: 1000,
        created_from: UnixMillis(0),
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

pub(crate) fn popular_query(popular: u32, newest: u32, now: u64) -> PopularQuery {
    PopularQuery {
        shards: vec![],
        popular,
        newest,
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
        .unwrap()
}

pub(crate) const USERS: u64 = 24;
const POSTS: u64 = 150;

/// A random log over few users and posts, so that items meet: edits, deletes, retries, trims, effects.
pub(crate) fn random_log(seed: u64, entries: usize) -> Vec<EntryToApply> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut now = START;
    let mut log = Vec::new();
    for index in 1..=entries as u64 {
        now += rng.random_range(0..20_000);
        let items = rng.random_range(1..6);
        let body = random_command(&mut rng, now, items);
        log.push(entry(index, now, body));
        if rng.random_bool(0.03) {
            log.last_mut().unwrap().payload = Payload::Empty;
        }
    }
    log
}

fn random_command(rng: &mut SmallRng, now: u64, items: usize) -> ShardCommand {
    match rng.random_range(0..100) {
        0..45 => ShardCommand::PutPosts((0..items).map(|_| random_post(rng, now)).collect()),
        45..53 => ShardCommand::DeletePosts((0..items).map(|_| random_delete(rng)).collect()),
        53..63 => ShardCommand::PutUsers((0..items).map(|_| random_user(rng)).collect()),
        63..80 => ShardCommand::RecordActions((0..items).map(|_| random_action(rng, now)).collect()),
        80..86 => ShardCommand::ApplyEffects((0..items).map(|_| random_effect(rng, now)).collect()),
        86..89 => ShardCommand::TrimOutbox((0..items).map(|_| random_mark(rng)).collect()),
        89..92 => ShardCommand::TrimBefore(UnixMillis(now.saturating_sub(rng.random_range(500_000..2_000_000)))),
        92..96 => ShardCommand::RecordServed((0..items).map(|_| random_served(rng, now)).collect()),
        _ => ShardCommand::SetLabels((0..items).map(|_| random_labels(rng)).collect()),
    }
}

fn random_key(rng: &mut SmallRng) -> PostKey {
    let post = rng.random_range(1..=POSTS);
    key(post % USERS + 1, post)
}

fn random_reference(rng: &mut SmallRng) -> Option<PostRef> {
    let key = random_key(rng);
    let hint = RefHint {
        known: rng.random_bool(0.8),
        in_reply_to: rng.random_bool(0.4).then(|| random_key(rng).post),
        is_repost: rng.random_bool(0.2),
        has_video: rng.random_bool(0.5),
    };
    Some(PostRef { key, hint })
}

pub(crate) fn random_post(rng: &mut SmallRng, now: u64) -> Post {
    let key = random_key(rng);
    let mut post = post(key.author.0, key.post.0, rng.random_range(1..4));
    // Few distinct times, so that some posts share one.
    post.created_at = UnixMillis((now - rng.random_range(0..100_000)) / 5000 * 5000);
    post.language = *[Language(*b"en"), Language(*b"de"), Language::default()]
        .choose(rng)
        .unwrap();
    post.labels = if rng.random_bool(0.2) {
        rng.random_range(0..16)
    } else {
        0
    };
    if rng.random_bool(0.3) {
        let duration_ms = rng.random_range(1..60_000);
        post.media.push(Media {
            kind: MediaKind::Video,
            url: "v".into(),
            duration_ms,
        });
    }
    match rng.random_range(0..10) {
        0..3 => {
            post.reply_to = random_reference(rng);
            let start = post
                .reply_to
                .and_then(|r| r.hint.in_reply_to)
                .filter(|_| rng.random_bool(0.7));
            post.conversation = start.or(Some(random_key(rng).post));
        }
        3..5 => {
            post.repost_of = random_reference(rng);
            post.vector = F16Vector::default();
        }
        5 => post.quote_of = random_reference(rng),
        _ => {}
    }
    post
}

fn random_delete(rng: &mut SmallRng) -> PostDelete {
    PostDelete {
        key: random_key(rng),
        version: Version(rng.random_range(1..4)),
    }
}

fn random_user(rng: &mut SmallRng) -> UserUpdate {
    let user = rng.random_range(1..=USERS);
    let kinds = [
        EdgeKind::Follow,
        EdgeKind::Follow,
        EdgeKind::Block,
        EdgeKind::Mute,
        EdgeKind::Subscribe,
    ];
    let edges = (0..rng.random_range(0..4)).map(|_| EdgeUpdate {
        kind: *kinds.choose(rng).unwrap(),
        target: UserId(rng.random_range(1..=USERS)),
        on: rng.random_bool(0.7),
    });
    let edges = edges.collect();
    let version = rng.random_range(1..20);
    UserUpdate {
        user: UserId(user),
        version: Version(version),
        profile: rng.random_bool(0.3).then(|| Profile {
            screen_name: format!("u{user}v{version}"),
            ..Profile::default()
        }),
        edges,
        muted_keywords: rng.random_bool(0.2).then(|| vec![format!("word {version}")]),
    }
}

fn random_action(rng: &mut SmallRng, now: u64) -> Action {
    let kind = *ActionKind::ALL.choose(rng).unwrap();
    let mut action = action(
        rng.random_range(1..=USERS),
        rng.random_range(0..40),
        kind,
        random_key(rng),
    );
    action.at = UnixMillis(now - rng.random_range(0..50_000));
    action
}

fn random_effect(rng: &mut SmallRng, now: u64) -> OutboxItem {
    let effect = if rng.random_bool(0.7) {
        Effect::CountAction {
            key: random_key(rng),
            kind: rng.random_range(0..20),
            at: UnixMillis(now),
        }
    } else {
        Effect::CountFollower {
            user: UserId(rng.random_range(1..=USERS)),
            delta: rng.random_range(-1..2),
        }
    };
    OutboxItem {
        source: Slot(rng.random_range(9000..9004)),
        sequence: rng.random_range(1..60),
        effect,
    }
}

fn random_mark(rng: &mut SmallRng) -> OutboxMark {
    OutboxMark {
        source: Slot::of(UserId(rng.random_range(1..=USERS))),
        sequence: rng.random_range(1..6),
    }
}

fn random_served(rng: &mut SmallRng, now: u64) -> Served {
    let posts = (0..4).map(|_| random_key(rng).post).collect();
    Served {
        viewer: UserId(rng.random_range(1..=USERS)),
        at: UnixMillis(now / 10_000 * 10_000),
        posts,
    }
}

fn random_labels(rng: &mut SmallRng) -> LabelUpdate {
    let labels = rng.random_range(0..16);
    LabelUpdate {
        key: random_key(rng),
        version: Version(rng.random_range(1..5)),
        labels,
    }
}
