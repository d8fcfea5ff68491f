//! How far the scrubber is, for status, and how it is told to stop: small locks, held for a copy.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use covey_env::Monotonic;
use covey_shared::ids::ShardId;
use covey_shared::wire::ScrubStatus;
use futures::future::{Either, select};
use parking_lot::Mutex;
use tokio::sync::watch;

#[derive(Debug)]
struct Shown {
    status: ScrubStatus,
    /// When the last pass ended.
    ended: Monotonic,
}

/// All that is known of the scrubber from outside.
#[derive(Debug)]
pub(crate) struct Scrubs {
    shown: Mutex<BTreeMap<ShardId, Shown>>,
    closed: watch::Sender<bool>,
}

impl Scrubs {
    /// Of no replica yet.
    pub(crate) fn new() -> Scrubs {
        Scrubs {
            shown: Mutex::default(),
            closed: watch::Sender::new(false),
        }
    }

    /// These are the replicas that there are now.
    pub(super) fn keep(&self, shards: &BTreeSet<ShardId>) {
        let mut shown = self.shown.lock();
        shown.retain(|shard, _| shards.contains(shard));
        for shard in shards {
            shown.entry(*shard).or_insert_with(|| Shown {
                status: ScrubStatus {
                    shard: *shard,
                    ..ScrubStatus::default()
                },
                ended: Monotonic::default(),
            });
        }
    }

    /// Of each replica, by shard.
    pub(crate) fn status(&self, now: Monotonic) -> Vec<ScrubStatus> {
        let status = |shown: &Shown| ScrubStatus {
            ended_ms: u64::try_from(now.since(shown.ended).as_millis()).unwrap_or(u64::MAX),
            ..shown.status.clone()
        };
        self.shown.lock().values().map(status).collect()
    }

    /// Changes what is shown of a replica.
    pub(super) fn show(&self, shard: ShardId, change: impl FnOnce(&mut ScrubStatus)) {
        if let Some(shown) = self.shown.lock().get_mut(&shard) {
            change(&mut shown.status);
        }
    }

    /// A pass came to its end.
    pub(super) fn passed(&self, shard: ShardId, now: Monotonic) {
        if let Some(shown) = self.shown.lock().get_mut(&shard) {
            (shown.status.running, shown.ended) = (false, now);
            shown.status.passes += 1;
        }
    }

    /// Ends the scrubber at once, whatever it waits for.
    pub(crate) fn close(&self) {
        self.closed.send_replace(true);
    }

    pub(super) fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    /// Waits for `work`, which is dropped when the scrubber is told to end.
    pub(super) async fn unless_closed<F: Future>(&self, work: F) -> Option<F::Output> {
        let mut closed = self.closed.subscribe();
        match select(pin!(work), pin!(closed.wait_for(|closed| *closed))).await {
            Either::Left((value, _)) => Some(value),
            Either::Right(_) => None,
        }
    }

    /// Waits, but not for longer than until it is told to end.
    pub(super) async fn pause(&self, pause: Duration) {
        let _ = self.unless_closed(tokio::time::sleep(pause)).await;
    }
}

#[cfg(test)]
#[path = "scrubs_test.rs"]
mod tests;
