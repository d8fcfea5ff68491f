//! What the Raft actor publishes of every group, and the last look at the disk, for calls and status: small locks, held
//! for a copy.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use covey_env::Monotonic;
use covey_shared::ids::ShardId;
use covey_shared::wire::ReplicaRole;
use parking_lot::RwLock;

use crate::disk_room::DiskRoom;
use crate::disk_stalls::DiskStalls;
use crate::raft::GroupStatus;

/// Status of all groups of the node.
#[derive(Debug, Default)]
pub(crate) struct Board {
    groups: RwLock<BTreeMap<ShardId, GroupStatus>>,
    log_bytes: AtomicU64,
    disk: RwLock<Option<DiskRoom>>,
    /// How quick the disk is, as the log writer finds it.
    pub(crate) stalls: Arc<DiskStalls>,
    stopping: AtomicBool,
}

impl Board {
    pub(crate) fn publish(&self, shard: ShardId, status: GroupStatus) {
        self.groups.write().insert(shard, status);
    }

    pub(crate) fn get(&self, shard: ShardId) -> Option<GroupStatus> {
        self.groups.read().get(&shard).cloned()
    }

    /// The group is not here any more.
    pub(crate) fn remove(&self, shard: ShardId) {
        self.groups.write().remove(&shard);
    }

    /// Bytes of entries in the log that are not compacted.
    pub(crate) fn log_bytes(&self) -> u64 {
        self.log_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn set_log_bytes(&self, bytes: u64) {
        self.log_bytes.store(bytes, Ordering::Relaxed);
    }

    /// Room on the disk as of the last look; `None` while nobody knows.
    pub(crate) fn disk(&self) -> Option<DiskRoom> {
        *self.disk.read()
    }

    pub(crate) fn set_disk(&self, room: DiskRoom) {
        *self.disk.write() = Some(room);
    }

    /// The disk is nearly full.
    pub(crate) fn disk_low(&self) -> bool {
        self.disk().is_some_and(|room| room.low)
    }

    /// From now on this node declines to lead.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// The node stops or its disk is nearly full: it takes no leadership that it is offered.
    pub(crate) fn declines(&self) -> bool {
        self.stopping.load(Ordering::Acquire) || self.disk_low()
    }

    /// It declines, or its disk has stalled of late: leaders with a choice should choose another node.
    pub(crate) fn unfit(&self, now: Monotonic) -> bool {
        self.declines() || !self.stalls.calm(now)
    }

    pub(crate) fn leads(&self, shard: ShardId) -> bool {
        self.get(shard).is_some_and(|s| s.role == ReplicaRole::Leader)
    }

    /// How far the replica may lag behind its leader; the longest duration when nothing is known.
    pub(crate) fn staleness(&self, shard: ShardId, now: Monotonic) -> Duration {
        self.get(shard)
            .and_then(|s| s.fresh_as_of)
            .map_or(Duration::MAX, |at| now.since(at))
    }
}
