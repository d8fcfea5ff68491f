//! Whether the disk is quick: how long the turns of the log writer take. A node whose disk is slow lets others lead.
//!
//! The rule, in one place. A node is *slow* after [`MANY`] stalls within [`WINDOW`], or one of [`LONG`], also while that one
//! still goes on (then offers leave the node only while the log's queue has room; a disk that hangs under load costs an
//! election). It then offers its leaderships, at most every [`OFFER_PAUSE`], only to members that are *calm*: those that
//! have had no stall within [`WINDOW`], as they say themselves in each Raft message. It is quick again once it is calm.
//!
//! So three stalls make a leader go, and one keeps a member from being chosen: where all disks stall together nobody is
//! calm, and leadership stays where it is. A node that gave it away cannot get it back from a slow one within a minute,
//! and nobody gives it back to a node because its disk recovered. No write is refused for slowness.

use std::collections::VecDeque;
use std::time::Duration;

use covey_env::Monotonic;
use covey_shared::wire::{DISK_STALL_MS, DiskSpeed};
use parking_lot::Mutex;

use crate::raft::HandTo;
use crate::raft::asks::HandOver;
use crate::server::NodeHandle;

/// A turn of the log writer that takes this long is a stall. A disk that is well syncs in 1 to 20 ms, and an election
/// timeout is 1 s by default: a few of these in a row, and heartbeats that wait for the log come too late.
const STALL: Duration = Duration::from_millis(DISK_STALL_MS);
/// A turn that takes this long is enough by itself: all writes of the node's shards have waited for two election timeouts of the default.
const LONG: Duration = Duration::from_secs(2);
/// Stalls that make a disk slow. One or two come with a burst of other work, and moving leaders costs more than they do.
const MANY: usize = 3;
/// How long a stall counts. What stalls once a minute is not worth moving leaders for; it also bounds how often they move.
const WINDOW: Duration = Duration::from_secs(60);
/// Pause between offers: one that nobody takes up holds the writes of its group back for a heartbeat.
const OFFER_PAUSE: Duration = Duration::from_secs(10);
/// Pause between warnings.
const WARNING_PAUSE: Duration = Duration::from_secs(10);
/// Each turn moves the mean by this part of its distance.
const MEAN_SHIFT: u32 = 16;

/// What the log writer notes and everybody else reads; held for some additions.
#[derive(Debug, Default)]
pub(crate) struct DiskStalls(Mutex<Account>);

#[derive(Debug, Default)]
struct Account {
    /// When the turn that runs began.
    began: Option<Monotonic>,
    total: u64,
    longest: Duration,
    last: Option<Monotonic>,
    /// End and length of the stalls within the window. Turns follow each other: at most as many as fit into it.
    recent: VecDeque<(Monotonic, Duration)>,
    mean: Option<Duration>,
    slow: bool,
}

/// The account as of a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Speed {
    /// Others should lead.
    pub(crate) slow: bool,
    /// No stall within the window.
    pub(crate) calm: bool,
    /// How long a stall has been going on.
    pub(crate) going_on: Option<Duration>,
    /// Stalls within the window that have ended, and the longest of them.
    pub(crate) recent: usize,
    pub(crate) longest_recent: Duration,
    /// Since the start.
    pub(crate) total: u64,
    pub(crate) longest: Duration,
    /// Since the last one ended.
    pub(crate) last: Option<Duration>,
    /// Moving mean of the turns that synced.
    pub(crate) mean: Duration,
}

impl DiskStalls {
    /// A turn begins.
    pub(crate) fn begin(&self, now: Monotonic) {
        self.0.lock().began = Some(now);
    }

    /// It has ended, and it is not known what it says of the disk.
    pub(crate) fn skip(&self) {
        self.0.lock().began = None;
    }

    /// It has ended; `synced`: and the disk was waited for.
    pub(crate) fn end(&self, now: Monotonic, synced: bool) {
        let mut account = self.0.lock();
        let Some(began) = account.began.take() else {
            return;
        };
        let took = now.since(began);
        if synced {
            let mean = account.mean.unwrap_or(took);
            account.mean = Some(mean - mean / MEAN_SHIFT + took / MEAN_SHIFT);
        }
        if took >= STALL {
            account.total += 1;
            account.longest = account.longest.max(took);
            account.last = Some(now);
            account.recent.push_back((now, took));
        }
        account.settle(now);
    }

    /// No stall within the window: this node may be given leaderships.
    pub(crate) fn calm(&self, now: Monotonic) -> bool {
        // Asked for every batch of messages: looks at the newest only.
        let account = self.0.lock();
        let going_on = account.began.is_some_and(|began| now.since(began) >= STALL);
        !going_on
            && account
                .recent
                .back()
                .is_none_or(|(ended, _)| now.since(*ended) > WINDOW)
    }

    pub(crate) fn look(&self, now: Monotonic) -> Speed {
        self.0.lock().settle(now)
    }

    pub(crate) fn status(&self, now: Monotonic) -> DiskSpeed {
        let speed = self.look(now);
        DiskSpeed {
            slow: speed.slow,
            recent_stalls: u32::try_from(speed.recent).unwrap_or(u32::MAX),
            longest_recent_ms: millis(speed.longest_recent),
            going_on_ms: speed.going_on.map_or(0, millis),
            stalls: speed.total,
            longest_ms: millis(speed.longest),
            last_stall_ms: speed.last.map(millis),
            mean_us: u64::try_from(speed.mean.as_micros()).unwrap_or(u64::MAX),
        }
    }
}

impl Account {
    /// Forgets what is too old, and decides.
    fn settle(&mut self, now: Monotonic) -> Speed {
        while self.recent.front().is_some_and(|(ended, _)| now.since(*ended) > WINDOW) {
            self.recent.pop_front();
        }
        let going_on = self.began.map(|began| now.since(began)).filter(|took| *took >= STALL);
        let longest_recent = self.recent.iter().map(|(_, took)| *took).max().unwrap_or_default();
        let count = self.recent.len() + usize::from(going_on.is_some());
        let long = going_on.unwrap_or_default().max(longest_recent) >= LONG;
        self.slow = if self.slow { count > 0 } else { count >= MANY || long };
        Speed {
            slow: self.slow,
            calm: count == 0,
            going_on,
            recent: self.recent.len(),
            longest_recent,
            total: self.total,
            longest: self.longest,
            last: self.last.map(|at| now.since(at)),
            mean: self.mean.unwrap_or_default(),
        }
    }
}

/// Says what stalls, and has others lead.
#[derive(Debug, Default)]
pub(crate) struct StallWatch {
    slow: bool,
    /// Stalls that a warning has counted.
    told: u64,
    warned: Option<Monotonic>,
    offered: Option<Monotonic>,
}

/// What a look leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Steps {
    /// Stalls since the last warning, if there is to be one.
    warn: Option<u64>,
    /// The disk has become slow, or quick again.
    turned: Option<bool>,
    hand_over: bool,
}

impl StallWatch {
    /// Reads no disk, so that it can look at one that hangs.
    pub(crate) fn look(&mut self, node: &NodeHandle) {
        let now = node.env.clock.monotonic();
        let speed = node.board.stalls.look(now);
        let steps = self.judge(now, speed);
        if let Some(stalls) = steps.warn {
            tracing::warn!(
                stalls,
                last_minute = speed.recent,
                longest_ms = millis(speed.longest_recent),
                going_on_ms = speed.going_on.map_or(0, millis),
                mean_ms = speed.mean.as_secs_f64() * 1000.0,
                "the disk takes long to write the log"
            );
        }
        match steps.turned {
            Some(true) => tracing::warn!("the disk is slow: nodes whose disks are not are to lead this node's shards"),
            Some(false) => tracing::info!("the disk is quick again"),
            None => {}
        }
        if steps.hand_over {
            // A full mailbox or a node that stops: a later look asks again.
            let _ = node.raft.try_send(HandOver(HandTo::Fit));
        }
    }

    fn judge(&mut self, now: Monotonic, speed: Speed) -> Steps {
        let due = |last: Option<Monotonic>, pause| last.is_none_or(|at| now.since(at) >= pause);
        let mut steps = Steps::default();
        let new = speed.total - self.told;
        if (new > 0 || speed.going_on.is_some()) && due(self.warned, WARNING_PAUSE) {
            (self.told, self.warned) = (speed.total, Some(now));
            steps.warn = Some(new);
        }
        if speed.slow != self.slow {
            self.slow = speed.slow;
            steps.turned = Some(speed.slow);
        }
        if speed.slow && due(self.offered, OFFER_PAUSE) {
            self.offered = Some(now);
            steps.hand_over = true;
        }
        steps
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "disk_stalls_test.rs"]
mod tests;
