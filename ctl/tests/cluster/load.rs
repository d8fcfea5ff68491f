//! Writers that remember what was acknowledged, and readers that remember what they got.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use covey_api::v1::{Answer, EdgeKind, GetFeedRequest};
use covey_ctl::client::Client;
use covey_shared::ids::PostKey;
use tokio::task::JoinHandle;
use tonic::Status;

use crate::calls::{post, put, relate};
use crate::process::SOON;
use crate::replicas::key;
use crate::world::{SHARDS, users_of_shard};

/// Authors of each shard, in turn.
const AUTHORS: usize = 5;
const FIRST_AUTHOR: u64 = 1_000;
const VIEWERS: std::ops::Range<u64> = 500..520;
/// Posts of one write: small ones, often, so that a gap between acknowledgements is measured finely.
const BATCH: usize = 3;
const WRITE_PAUSE: Duration = Duration::from_millis(40);
const FEED_PAUSE: Duration = Duration::from_millis(60);

/// What happened, as clients saw it.
#[derive(Default)]
pub(crate) struct History {
    stopped: AtomicBool,
    count: AtomicUsize,
    /// Per shard.
    acks: Vec<Mutex<Acks>>,
    feeds: Mutex<Feeds>,
    /// When there was no coordinator.
    gaps: Mutex<Vec<(Instant, Instant)>>,
}

#[derive(Default)]
struct Acks {
    posts: BTreeSet<PostKey>,
    times: Vec<Instant>,
}

#[derive(Default)]
struct Feeds {
    complete: usize,
    degraded: usize,
    broken: Vec<Broken>,
    slowest: Duration,
}

/// A feed that failed or was not complete.
struct Broken {
    from: Instant,
    to: Instant,
    trace: String,
    what: String,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder panics")
}

impl History {
    pub(crate) fn acknowledged(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    fn acknowledge(&self, shard: usize, posts: impl Iterator<Item = PostKey>) {
        let mut acks = locked(&self.acks[shard]);
        let before = acks.posts.len();
        acks.posts.extend(posts);
        self.count.fetch_add(acks.posts.len() - before, Ordering::Relaxed);
        acks.times.push(Instant::now());
    }

    /// How long writers of a shard whose leader died at `at` waited: the longest time without an acknowledgement from
    /// then on. Returns when writes flow again.
    pub(crate) async fn silence_from(&self, shard: usize, at: Instant) -> Duration {
        while at.elapsed() < SOON {
            {
                let acks = locked(&self.acks[shard]);
                let after = acks.times.partition_point(|time| *time < at);
                let times = [&[at], &acks.times[after..]].concat();
                // Acknowledgements may have been on their way; several in a row at the usual pace come from a new leader.
                let flows = times.len() > 4 && at.elapsed() > Duration::from_millis(500);
                let last = times
                    .windows(2)
                    .rev()
                    .take(3)
                    .all(|pair| pair[1] - pair[0] < Duration::from_millis(500));
                // A slow machine never writes that often in a row: then any that follow will do.
                let slow = at.elapsed() > SOON / 8;
                if flows && (last || slow) {
                    return times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default();
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("shard {} takes no writes since its leader was killed", shard + 1);
    }

    pub(crate) fn no_coordinator(&self, from: Instant, to: Instant) {
        locked(&self.gaps).push((from, to));
    }

    /// Feeds with coverage 1.
    pub(crate) fn complete(&self) -> usize {
        locked(&self.feeds).complete
    }

    /// Trace and fault of the feeds that failed or were incomplete although a coordinator ran all the time.
    pub(crate) fn broken_feeds(&self) -> Vec<(String, String)> {
        let gaps = locked(&self.gaps);
        let excused = |feed: &&Broken| gaps.iter().any(|gap| feed.from < gap.1 && gap.0 < feed.to);
        let feeds = locked(&self.feeds);
        let broken = feeds.broken.iter().filter(|feed| !excused(feed));
        let tell = |feed: &Broken| {
            (
                feed.trace.clone(),
                format!("after {:?}: {}", feed.to - feed.from, feed.what),
            )
        };
        broken.map(tell).collect()
    }

    fn record(&self, from: Instant, answer: Result<(usize, Answer), Status>) {
        let mut feeds = locked(&self.feeds);
        let (trace, what) = match answer {
            // Who has seen all that fits into a feed gets an empty one.
            Ok((_, answer)) if answer.coverage == 1.0 => {
                feeds.complete += 1;
                feeds.degraded += usize::from(answer.degraded.iter().any(|part| part.component != "ModelScorer"));
                feeds.slowest = feeds.slowest.max(from.elapsed());
                return;
            }
            Ok((posts, answer)) => (answer.trace_id.clone(), format!("{posts} posts, {answer:?}")),
            Err(status) => (String::new(), status.to_string()),
        };
        let to = Instant::now();
        feeds.broken.push(Broken { from, to, trace, what });
    }

    pub(crate) fn posts(&self) -> BTreeSet<PostKey> {
        self.acks.iter().flat_map(|acks| locked(acks).posts.clone()).collect()
    }

    pub(crate) fn summary(&self) -> String {
        let broken = self.broken_feeds().len();
        let feeds = locked(&self.feeds);
        format!(
            "{} posts acknowledged; {} feeds with coverage 1 ({} named a degraded part), slowest {:.0?}; {} failed while \
             there was no coordinator, {broken} otherwise",
            self.acknowledged(),
            feeds.complete,
            feeds.degraded,
            feeds.slowest,
            feeds.broken.len() - broken,
        )
    }

    fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// A writer for each shard, and a reader.
pub(crate) struct Load {
    pub(crate) history: Arc<History>,
    tasks: Vec<JoinHandle<()>>,
}

impl Load {
    pub(crate) async fn start(grpc: u16) -> Load {
        let history = Arc::new(History {
            acks: (0..SHARDS).map(|_| Mutex::default()).collect(),
            ..History::default()
        });
        let client = connect(grpc).await;
        let mut authors = Vec::new();
        let mut tasks = Vec::new();
        for shard in 0..usize::from(SHARDS) {
            let own = users_of_shard(shard, FIRST_AUTHOR, AUTHORS);
            authors.extend(own.clone());
            tasks.push(tokio::spawn(write(client.clone(), history.clone(), shard, own)));
        }
        for viewer in VIEWERS {
            relate(&client, viewer, EdgeKind::Follow, &authors, "").await;
        }
        tasks.push(tokio::spawn(read(client, history.clone())));
        Load { history, tasks }
    }

    /// Until so many posts were acknowledged: however slowly, as long as it goes on.
    pub(crate) async fn until_acknowledged(&self, posts: usize) {
        let (mut seen, mut since) = (0, Instant::now());
        loop {
            let now = self.history.acknowledged();
            if now >= posts {
                return;
            }
            if now > seen {
                (seen, since) = (now, Instant::now());
            }
            assert!(since.elapsed() < SOON, "no write goes on at {now} of {posts}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends all tasks; a writer first gets its last write acknowledged.
    pub(crate) async fn finish(&mut self) -> Arc<History> {
        self.history.stopped.store(true, Ordering::Relaxed);
        for task in self.tasks.drain(..) {
            task.await.expect("writers and readers do not panic");
        }
        self.history.clone()
    }
}

/// The connection mends itself.
async fn connect(grpc: u16) -> Client {
    Client::connect(&format!("http://127.0.0.1:{grpc}"))
        .await
        .expect("the coordinator listens")
}

/// Posts are numbered: number, shard.
async fn write(client: Client, history: Arc<History>, shard: usize, authors: Vec<u64>) {
    let mut numbers = 1_u64..;
    while !history.stopped() {
        let posts: Vec<_> = numbers
            .by_ref()
            .take(BATCH)
            .map(|number| {
                let author = authors[number as usize % authors.len()];
                post(author, number * u64::from(SHARDS) + shard as u64)
            })
            .collect();
        let keys: Vec<PostKey> = posts.iter().map(|post| key(post.author_id, post.post_id)).collect();
        put(&client, posts, "").await;
        history.acknowledge(shard, keys.into_iter());
        tokio::time::sleep(WRITE_PAUSE).await;
    }
}

async fn read(client: Client, history: Arc<History>) {
    let mut viewers = VIEWERS.cycle();
    // The first feeds need something to show.
    while history.acknowledged() < 500 && !history.stopped() {
        tokio::time::sleep(FEED_PAUSE).await;
    }
    while !history.stopped() {
        let request = GetFeedRequest {
            viewer_id: viewers.next().expect("a cycle does not end"),
            ..GetFeedRequest::default()
        };
        let from = Instant::now();
        let reply = client.rpc().get_feed(request).await;
        let answer = reply.map(|reply| {
            let reply = reply.into_inner();
            (reply.posts.len(), reply.answer.unwrap_or_default())
        });
        history.record(from, answer);
        tokio::time::sleep(FEED_PAUSE).await;
    }
}
