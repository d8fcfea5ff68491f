//! Viewers who ask both coordinators for feeds without pause.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use covey_api::v1::{FeedPost, GetFeedReply, GetFeedRequest};
use tokio::task::JoinHandle;

use super::super::measure::is_whole;
use super::super::patient::in_time;
use super::ledger::{Ledger, Look, PROMISE};
use crate::client::Client;

/// Ways to look, each a viewer of its own at each coordinator.
const WAYS: [Way; 3] = [Way::InNetwork, Way::Whole, Way::Pages];
/// Posts asked for: more than a round has.
const LIMIT: u32 = 50;
/// Posts of a page: a fifth of a round. What a session's first request has left fills the other four; it is not used for a page that it
/// cannot fill.
const PAGE: u32 = 4;
/// Pages of a session at most: those of a round, the empty one that ends it, and some that are shorter.
const PAGES: u32 = 8;
/// Before the second page of every other session: what is left by then is older than the promise.
const HOLD: Duration = Duration::from_secs(2 * PROMISE.as_secs());
/// Time for a feed: the default of `coordinator.request_deadline`.
const DEADLINE: Duration = Duration::from_secs(2);
/// After a failure, so that a coordinator that is away is not asked in a busy loop.
const PAUSE: Duration = Duration::from_millis(10);

/// How a watcher looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
        for number in 0_u64.. {
            let from = self.began.elapsed();
            let hold = self.way == Way::Pages && number.is_multiple_of(2);
            if self.session(hold).await {
                self.ledger().looked_through(self.number, from);
            }
        }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().expect("no holder panics")
    }

    /// Asks for page after page. Whether that was all, and no reply lacked anything.
    async fn session(&self, hold: bool) -> bool {
        let (limit, pages) = match self.way {
            Way::Pages => (PAGE, PAGES),
            Way::InNetwork | Way::Whole => (LIMIT, 1),
        };
        let (mut cursor, mut ranked, mut whole) = (String::new(), None, true);
        for page in 0..pages {
            if hold && page == 1 {
                tokio::time::sleep(HOLD).await;
            }
            let request = GetFeedRequest {
                viewer_id: self.viewer,
                in_network_only: self.way != Way::Whole,
                is_bottom_request: page > 0,
                limit,
                cursor,
                deadline_ms: DEADLINE.as_millis() as u32,
                ..GetFeedRequest::default()
            };
            let Some(reply) = self.look(request, ranked).await else {
                return false;
            };
            ranked = ranked.or(Some(self.began.elapsed()));
            whole &= is_whole(&reply);
            if reply.posts.is_empty() || reply.cursor.is_empty() {
                return whole;
            }
            cursor = reply.cursor;
        }
        whole && pages == 1
    }

    /// Asks once and has it counted.
    async fn look(&self, request: GetFeedRequest, ranked: Option<Duration>) -> Option<GetFeedReply> {
        let from = self.began.elapsed();
        let reply = self.client.rpc().get_feed(in_time(request, DEADLINE)).await;
        let to = self.began.elapsed();
        let Ok(reply) = reply else {
            self.ledger().failed += 1;
            tokio::time::sleep(PAUSE).await;
            return None;
        };
        let reply = reply.into_inner();
        let look = Look {
            watcher: self.number,
            from,
            to,
            ranked,
            shown: shown(&reply),
            staleness_ms: reply.answer.as_ref().map_or(0, |answer| answer.staleness_ms),
            whole: is_whole(&reply),
        };
        self.ledger().look(&look);
        Some(reply)
    }
}

/// Posts of a reply, and those that they repeat or quote.
fn shown(reply: &GetFeedReply) -> BTreeSet<u64> {
    let ids = |post: &FeedPost| [post.post_id, post.retweeted_post_id, post.quoted_post_id];
    reply.posts.iter().flat_map(ids).filter(|id| *id != 0).collect()
}

#[cfg(test)]
#[path = "watchers_test.rs"]
mod tests;
