//! What came over the wire, counted over all lives of the node that fetches.

use std::fs;
use std::path::Path;
use std::time::Duration;

use covey_api::v1::{RebuildPhase, RebuildStatus};
use serde::Serialize;

/// Digits of the hash that a verified file bears as its name; one that is not whole yet has a suffix, too.
const HASH_DIGITS: usize = 64;

/// What lay on the receiver's disk when it had been killed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    /// Of files that were whole and verified.
    pub(super) verified: u64,
    /// Of all files.
    pub(super) bytes: u64,
}

impl Kept {
    /// Looks into the folders below a node's data in which snapshots arrive.
    pub(super) fn of(node: &Path) -> Kept {
        let entries = |dir: &Path| fs::read_dir(dir).into_iter().flatten().flatten();
        let mut kept = Kept::default();
        for file in
            entries(&node.join("incoming")).flat_map(|shard| fs::read_dir(shard.path()).into_iter().flatten().flatten())
        {
            let (name, bytes) = (file.file_name(), file.metadata().map_or(0, |metadata| metadata.len()));
            if name.len() >= HASH_DIGITS {
                kept.bytes += bytes;
                kept.verified += if name.len() == HASH_DIGITS { bytes } else { 0 };
            }
        }
        kept
    }
}

/// One stretch of fetching that nothing interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Attempt {
    /// Bytes of the snapshot.
    total: u64,
    /// Bytes that were here when it began.
    here: u64,
    /// Bytes that it moved.
    moved: u64,
    /// Verified bytes that it left, if it was killed.
    verified: Option<u64>,
}

/// A snapshot on its way to one node.
#[derive(Clone, Debug, Default)]
pub(super) struct Transfer {
    attempts: Vec<Attempt>,
    /// The next look begins another life.
    killed: bool,
    kills: usize,
    fetching: Option<Duration>,
    installing: Option<Duration>,
}

/// The bytes of a transfer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Moved {
    /// Of the snapshot that was taken in.
    pub(super) snapshot_bytes: u64,
    /// All that was received, over all lives.
    pub(super) received_bytes: u64,
    /// Received by one life, and again by the next; of the same snapshot.
    pub(super) again_bytes: u64,
    /// Those of them that the former life had verified.
    pub(super) verified_again_bytes: u64,
    /// Times that another snapshot was begun before the first was whole.
    pub(super) changes: usize,
    pub(super) kills: usize,
}

impl Transfer {
    /// What the receiver says `at` this time after its start.
    pub(super) fn see(&mut self, status: &RebuildStatus, at: Duration) {
        if status.total_bytes == 0 {
            return;
        }
        self.fetching.get_or_insert(at);
        if status.phase() == RebuildPhase::Installing {
            self.installing.get_or_insert(at);
        }
        let here = status.bytes.saturating_sub(status.moved_bytes);
        match self.attempts.last_mut() {
            Some(last) if !self.killed && (last.total, last.here) == (status.total_bytes, here) => {
                last.moved = last.moved.max(status.moved_bytes);
            }
            _ => self.attempts.push(Attempt {
                total: status.total_bytes,
                here,
                moved: status.moved_bytes,
                verified: None,
            }),
        }
        self.killed = false;
    }

    /// Whether the receiver has as much as the share of the snapshot at which it is killed next.
    pub(super) fn is_due(&self, kills: &[f64]) -> bool {
        let due = |last: &Attempt, share: f64| (last.here + last.moved) as f64 >= last.total as f64 * share;
        match (self.attempts.last(), kills.get(self.kills)) {
            (Some(last), Some(share)) => !self.killed && self.installing.is_none() && due(last, *share),
            _ => false,
        }
    }

    /// The receiver was killed: what it had by then is on its disk.
    pub(super) fn killed(&mut self, kept: Kept) {
        (self.killed, self.kills) = (true, self.kills + 1);
        if let Some(last) = self.attempts.last_mut() {
            last.moved = last.moved.max(kept.bytes.saturating_sub(last.here));
            last.verified = Some(kept.verified);
        }
    }

    /// Times after the start at which the first byte, and the last one, had come.
    pub(super) fn times(&self) -> (Option<Duration>, Option<Duration>) {
        (self.fetching, self.installing)
    }

    /// Share of the snapshot that is there.
    pub(super) fn share(&self) -> f64 {
        let share = |last: &Attempt| (last.here + last.moved) as f64 / last.total as f64;
        self.attempts.last().map_or(0.0, share)
    }

    /// Once it is taken in; `None` if there was no snapshot.
    pub(super) fn moved(&self) -> Option<Moved> {
        let mut attempts = self.attempts.clone();
        let last = attempts.last_mut()?;
        // Looks are some time apart, and the last one before the end did not see all.
        last.moved = last.total.saturating_sub(last.here);
        let mut moved = Moved {
            snapshot_bytes: last.total,
            received_bytes: attempts.iter().map(|attempt| attempt.moved).sum(),
            kills: self.kills,
            ..Moved::default()
        };
        for pair in attempts.windows(2) {
            let (before, after) = (pair[0], pair[1]);
            if before.total == after.total {
                moved.again_bytes += (before.here + before.moved).saturating_sub(after.here);
                moved.verified_again_bytes += before.verified.unwrap_or(0).saturating_sub(after.here);
            } else {
                moved.changes += 1;
            }
        }
        Some(moved)
    }
}

#[cfg(test)]
#[path = "transfer_test.rs"]
mod tests;
