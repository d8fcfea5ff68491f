//! The ranked reserves of sessions: what was scored and not shown, for the next page.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use covey_shared::ids::{LogIndex, UserId};
use covey_shared::model::Language;

use crate::feed::candidate::FeedCandidate;

/// Most posts kept of one session: about five pages; a session that goes on starts over. With as many sessions as by default they
/// take at most 1.5 GB.
const MAX_POSTS: usize = 200;

/// Which request a reserve answers: another question needs other candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) viewer: UserId,
    pub(crate) in_network_only: bool,
    pub(crate) video_only: bool,
    /// Of the client.
    pub(crate) language: Language,
    pub(crate) country: [u8; 2],
    /// Version of the settings that it was ranked by.
    pub(crate) config: LogIndex,
}

struct Entry {
    asked: Asked,
    ranked: Arc<Vec<FeedCandidate>>,
}

/// Bounded in sessions and time; the oldest go first. A reserve that is gone costs its session one full run.
pub(crate) struct Reserves {
    sessions: usize,
    ttl: Duration,
    kept: BTreeMap<u64, Entry>,
    order: VecDeque<(Duration, u64)>,
}

impl Reserves {
    /// `coordinator.reserve_sessions` and `coordinator.reserve_ttl`.
    pub(crate) fn new(sessions: usize, ttl: Duration) -> Reserves {
        Reserves {
            sessions,
            ttl,
            kept: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Keeps `ranked`, best first, under `key`, which is not used twice.
    pub(crate) fn put(&mut self, key: u64, asked: Asked, ranked: &[FeedCandidate], now: Duration) {
        self.expire(now);
        let ranked = Arc::new(ranked.iter().take(MAX_POSTS).map(FeedCandidate::at_rest).collect());
        self.kept.insert(key, Entry { asked, ranked });
        self.order.push_back((now, key));
        while self.order.len() > self.sessions {
            self.drop_oldest();
        }
    }

    /// The reserve under `key`, if it is still there and answers this question. It stays: a page may be asked for twice.
    pub(crate) fn get(&mut self, key: u64, asked: Asked, now: Duration) -> Option<Arc<Vec<FeedCandidate>>> {
        self.expire(now);
        let entry = self.kept.get(&key).filter(|entry| entry.asked == asked)?;
        Some(entry.ranked.clone())
    }

    fn expire(&mut self, now: Duration) {
        while self
            .order
            .front()
            .is_some_and(|(at, _)| now.saturating_sub(*at) >= self.ttl)
        {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some((_, key)) = self.order.pop_front() {
            self.kept.remove(&key);
        }
    }
}

#[cfg(test)]
#[path = "reserve_test.rs"]
mod tests;
