//! Whether the disk has room. A node that has little left takes in nothing that grows and leads nothing, long before a
//! write could fail: after that nothing would be known about its disk.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use covey_env::DiskSpace;

use crate::raft::HandTo;
use crate::raft::asks::HandOver;
use crate::server::NodeHandle;

/// A disk that was nearly full has room again at this multiple of the limit: one deleted file does not count.
const ROOM_AGAIN: f64 = 1.2;

/// Room as it was at the last look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct DiskRoom {
    pub(crate) space: DiskSpace,
    /// Too little is free.
    pub(crate) low: bool,
}

impl DiskRoom {
    /// What `space` means after `before`; at a `min_free_ratio` of 0 any room is enough.
    pub(crate) fn judge(before: Option<DiskRoom>, space: DiskSpace, min_free_ratio: f64) -> DiskRoom {
        let was_low = before.is_some_and(|room| room.low);
        let factor = if was_low { ROOM_AGAIN } else { 1.0 };
        DiskRoom {
            space,
            low: space.free < space.reserve(min_free_ratio * factor),
        }
    }
}

/// Looks at the file system of the node's data. One look at a time: a disk may take long to answer.
#[derive(Clone)]
pub(crate) struct DiskWatch {
    dir: Arc<PathBuf>,
    min_free_ratio: f64,
    looking: Arc<AtomicBool>,
}

impl DiskWatch {
    pub(crate) fn new(dir: PathBuf, min_free_ratio: f64) -> DiskWatch {
        DiskWatch {
            dir: Arc::new(dir),
            min_free_ratio,
            looking: Arc::default(),
        }
    }

    /// Starts a look, unless the last one has not ended.
    pub(crate) fn look(&self, node: Arc<NodeHandle>) {
        if self.looking.swap(true, Ordering::AcqRel) {
            return;
        }
        let watch = self.clone();
        node.env.spawn.clone().compute(Box::new(move || {
            watch.note(&node);
            watch.looking.store(false, Ordering::Release);
        }));
    }

    fn note(&self, node: &NodeHandle) {
        let space = match node.env.disk.space(&self.dir) {
            Ok(Some(space)) => space,
            // The simulated disk, unless a test says how much there is.
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%error, dir = %self.dir.display(), "the room on the disk is not known");
                return;
            }
        };
        let before = node.board.disk();
        let room = DiskRoom::judge(before, space, self.min_free_ratio);
        node.board.set_disk(room);
        let (free, total) = (space.free, space.total);
        match (before.is_some_and(|b| b.low), room.low) {
            (false, true) => tracing::warn!(
                free,
                total,
                "the disk is nearly full: this node takes in nothing new and leads no shard until there is room"
            ),
            (true, false) => tracing::info!(free, total, "the disk has room again"),
            _ => {}
        }
        if room.low {
            // A full mailbox or a node that stops: the next look asks again.
            let _ = node.raft.try_send(HandOver(HandTo::Anyone));
        }
    }
}

#[cfg(test)]
#[path = "disk_room_test.rs"]
mod tests;
