//! Writes at a steady rate: posts of now, and a favourite for each of them a moment later.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use covey_api::v1::{Action, ActionKind, ItemStatus, Post, PutPostsRequest, RecordActionsRequest, WriteReply};
use tokio::sync::Semaphore;

use crate::client::Client;
use crate::commands::now_ms;
use crate::world::World;

/// Pause between two batches.
const TICK: Duration = Duration::from_millis(100);
/// Items of a request: `limits.batch_items`.
const BATCH: usize = 1000;
/// Requests under way; what comes while there are more is not sent.
const OPEN: usize = 64;

/// What became of the posts.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Acknowledged.
    pub(super) accepted: AtomicU64,
    /// Refused, or not sent because too many requests were open.
    pub(super) refused: AtomicU64,
    /// Acknowledged actions.
    pub(super) actions: AtomicU64,
}

/// Writes the posts of a world one after another, whatever time the world says.
pub(super) struct Stream {
    client: Client,
    world: Arc<World>,
    /// Index of the first post.
    from: u64,
    per_s: u64,
    open: Arc<Semaphore>,
    pub(super) counts: Arc<Counts>,
}

impl Stream {
    pub(super) fn new(client: Client, world: Arc<World>, from: u64, per_s: u64) -> Arc<Stream> {
        Arc::new(Stream {
            client,
            world,
            from,
            per_s,
            open: Arc::new(Semaphore::new(OPEN)),
            counts: Arc::default(),
        })
    }

    /// Writes until dropped.
    pub(super) async fn run(self: Arc<Stream>) {
        let (started, mut sent) = (Instant::now(), self.from);
        let mut tick = tokio::time::interval(TICK);
        loop {
            tick.tick().await;
            let due = self.from + (started.elapsed().as_secs_f64() * self.per_s as f64) as u64;
            while sent < due {
                let until = due.min(sent + BATCH as u64);
                let now = now_ms();
                let posts: Vec<Post> = (sent..until).map(|index| post(&self.world, index, now)).collect();
                match self.open.clone().try_acquire_owned() {
                    Ok(permit) => {
                        let (client, counts, users) =
                            (self.client.clone(), self.counts.clone(), self.world.spec().users);
                        let sequence = until;
                        tokio::spawn(async move {
                            deliver(&client, posts, (users, sequence), &counts).await;
                            drop(permit);
                        });
                    }
                    Err(_) => {
                        self.counts.refused.fetch_add(until - sent, Ordering::Relaxed);
                    }
                }
                sent = until;
            }
        }
    }

    /// Waits for the answers to what was sent, after [`Stream::run`] has ended.
    pub(super) async fn drain(&self) {
        let all = self.open.acquire_many(OPEN as u32).await;
        drop(all.expect("the semaphore is never closed"));
    }
}

fn post(world: &World, index: u64, now: u64) -> Post {
    Post {
        created_at_ms: now,
        version: now,
        ..world.post(index)
    }
}

async fn deliver(client: &Client, posts: Vec<Post>, (users, sequence): (u64, u64), counts: &Counts) {
    let favourite = |post: &Post| Action {
        viewer_id: 1 + post.post_id.wrapping_mul(7919) % users,
        kind: ActionKind::Favorite.into(),
        post_id: post.post_id,
        author_id: post.author_id,
        ..Action::default()
    };
    let actions: Vec<Action> = posts.iter().map(favourite).collect();
    let all = posts.len() as u64;
    let session_token = String::new();
    let written = client.rpc().put_posts(PutPostsRequest { posts, session_token }).await;
    let accepted = written.map_or(0, |reply| done(&reply.into_inner()));
    counts.accepted.fetch_add(accepted, Ordering::Relaxed);
    counts.refused.fetch_add(all - accepted, Ordering::Relaxed);
    let request = RecordActionsRequest {
        actions,
        client_id: 1,
        sequence,
        session_token: String::new(),
    };
    if let Ok(reply) = client.rpc().record_actions(request).await {
        counts.actions.fetch_add(done(&reply.into_inner()), Ordering::Relaxed);
    }
}

fn done(reply: &WriteReply) -> u64 {
    let done = |status| matches!(status, ItemStatus::Ok | ItemStatus::Superseded);
    reply.results.iter().filter(|result| done(result.status())).count() as u64
}
