//! Viewers who ask both coordinators for feeds without pause.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use covey_api::v1::{FeedPost, GetFeedReply, GetFeedRequest};
use tokio::task::JoinHandle;
use tonic::Request;

use super::ledger::{Ledger, Look};
use crate::client::Client;

/// Ways to look, each a viewer of its own at each coordinator.
const WAYS: [Way; 3] = [Way::InNetwork, Way::Whole, Way::Pages];
/// Posts asked for: more than a round has.
const LIMIT: u32 = 50;
/// Posts of a page, so that a round takes several, and the later ones come from what a session's first request has left.
const PAGE: u32 = 8;
/// Pages of a session at most.
const PAGES: u32 = 6;
/// Time for a feed: the default of `coordinator.request_deadline`.
const DEADLINE: Duration = Duration::from_secs(2);
/// After a failure, so that a coordinator that is away is not asked in a busy loop.
const PAUSE: Duration = Duration::from_millis(10);

/// How a watcher looks.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// At posts of followed users only.
    InNetwork,
    /// At whole feeds, with what is popular and new.
    Whole,
    /// At sessions of several pages.
    Pages,
}

/// The watchers at work. Dropping ends them.
pub(super) struct Watchers {
    began: Instant,
    ledger: Arc<Mutex<Ledger>>,
    tasks: Vec<JoinHandle<()>>,
}

/// One of them.
struct Watcher {
    number: usize,
    way: Way,
    viewer: u64,
    client: Client,
    began: Instant,
    ledger: Arc<Mutex<Ledger>>,
}

/// How many watchers there are for so many coordinators.
pub(super) fn needed(coordinators: usize) -> usize {
    coordinators * WAYS.len()
}

/// What a watcher is called.
pub(super) fn name(number: usize) -> String {
    let way = match WAYS[number % WAYS.len()] {
        Way::InNetwork => "in-network",
        Way::Whole => "whole feed",
        Way::Pages => "pages",
    };
    format!("coordinator {}, {way}", number / WAYS.len() + 1)
}

impl Watchers {
    /// Begins to look; `viewers` are as many as [`needed`].
    pub(super) fn start(coordinators: &[Client], viewers: &[u64]) -> Watchers {
        let began = Instant::now();
        let ledger = Arc::new(Mutex::new(Ledger::new(viewers.len())));
        let places = coordinators.iter().flat_map(|client| WAYS.map(|way| (client, way)));
        let watcher = |((number, viewer), (client, way)): ((usize, &u64), (&Client, Way))| Watcher {
            number,
            way,
            viewer: *viewer,
            client: client.clone(),
            began,
            ledger: ledger.clone(),
        };
        let watchers = viewers.iter().enumerate().zip(places).map(watcher);
        let tasks = watchers.map(|watcher| tokio::spawn(watcher.run())).collect();
        Watchers { began, ledger, tasks }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().expect("no holder panics")
    }
}

impl Drop for Watchers {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Watcher {
    async fn run(self) {
        loop {
            let (limit, pages) = match self.way {
                Way::Pages => (PAGE, PAGES),
                Way::InNetwork | Way::Whole => (LIMIT, 1),
            };
            let mut cursor = String::new();
            for page in 0..pages {
                let request = GetFeedRequest {
                    viewer_id: self.viewer,
                    in_network_only: !matches!(self.way, Way::Whole),
                    is_bottom_request: page > 0,
                    limit,
                    cursor,
                    deadline_ms: DEADLINE.as_millis() as u32,
                    ..GetFeedRequest::default()
                };
                cursor = match self.look(request).await {
                    Some(reply) if !reply.posts.is_empty() => reply.cursor,
                    _ => break,
                };
                if cursor.is_empty() {
                    break;
                }
            }
        }
    }

    /// Asks once and has it counted.
    async fn look(&self, request: GetFeedRequest) -> Option<GetFeedReply> {
        let mut request = Request::new(request);
        request.set_timeout(DEADLINE);
        let from = self.began.elapsed();
        let reply = self.client.rpc().get_feed(request).await;
        let to = self.began.elapsed();
        let Ok(reply) = reply else {
            self.ledger.lock().expect("no holder panics").failed += 1;
            tokio::time::sleep(PAUSE).await;
            return None;
        };
        let reply = reply.into_inner();
        let look = Look {
            watcher: self.number,
            from,
            to,
            shown: shown(&reply),
            staleness_ms: reply.answer.as_ref().map_or(0, |answer| answer.staleness_ms),
        };
        self.ledger.lock().expect("no holder panics").look(&look);
        Some(reply)
    }
}

/// Posts of a reply, and those that they repeat or quote.
fn shown(reply: &GetFeedReply) -> BTreeSet<u64> {
    let ids = |post: &FeedPost| [post.post_id, post.retweeted_post_id, post.quoted_post_id];
    reply.posts.iter().flat_map(ids).filter(|id| *id != 0).collect()
}
