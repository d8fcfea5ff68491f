//! Replicas come to this node and leave it: before a group's first record in the log, and after its last.

use covey_shared::ids::{ReplicaId, ShardId};
use covey_shared::wire::{RaftMessage, RaftMessageKind, ShardError};

use super::engine::Engine;
use super::group::Group;
use super::{AppendTask, GroupStart};

/// Number of the record with which a group begins in the log; its readies are numbered from 1 after that.
const FIRST_RECORD: u64 = 1;

/// Number of the record with which a group ends in the log.
pub(super) const LAST_RECORD: u64 = u64::MAX;

/// Replicas whose leader sends them its log although they are not here, at most: more are looked at later.
const MAX_STRANGERS: usize = 1024;

/// A group that is gone.
pub(super) struct Leaving {
    pub(super) me: ReplicaId,
    /// Its last record is on its way.
    told: bool,
}

/// A group before its first record in the log.
pub(super) struct Dormant {
    pub(super) me: ReplicaId,
    /// What it begins with, once that is known.
    pub(super) start: Option<GroupStart>,
    /// The log is writing its first record.
    begun: bool,
}

impl Dormant {
    pub(super) fn first_record(&mut self) -> Option<AppendTask> {
        let start = self.start.as_ref().filter(|_| !self.begun)?;
        self.begun = true;
        Some(AppendTask {
            ready: FIRST_RECORD,
            create: Some(start.log.compacted),
            hard_state: Some(start.log.hard_state),
            must_sync: true,
            ..AppendTask::of(self.me)
        })
    }
}

impl Leaving {
    pub(super) fn last_record(&mut self) -> Option<AppendTask> {
        let told = std::mem::replace(&mut self.told, true);
        (!told).then(|| AppendTask {
            ready: LAST_RECORD,
            tombstone: true,
            must_sync: true,
            ..AppendTask::of(self.me)
        })
    }
}

impl Engine {
    /// Adds a replica that takes no part until [`Engine::begin`].
    pub fn host(&mut self, me: ReplicaId) {
        let (start, begun) = (None, false);
        self.dormant.insert(me.shard(), Dormant { me, start, begun });
    }

    /// These were here once: whoever calls for them is not listened to.
    pub fn bury(&mut self, gone: impl IntoIterator<Item = ReplicaId>) {
        self.buried.extend(gone);
    }

    /// Takes a replica out of its group, for ever: it stops at once, and the log is told.
    pub fn remove(&mut self, shard: ShardId) {
        let group = self.groups.remove(&shard).map(Group::end);
        let dormant = self.dormant.remove(&shard).map(|dormant| (dormant.me, Vec::new()));
        if let Some((me, open)) = group.or(dormant) {
            self.answers
                .extend(open.into_iter().map(|ticket| (ticket, Err(ShardError::Uncertain))));
            self.buried.insert(me);
            self.leaving.insert(shard, Leaving { me, told: false });
            self.dirty.insert(shard);
        }
    }

    /// Replicas that are gone, and of which the log says so, since the last call.
    pub fn take_removed(&mut self) -> Vec<ShardId> {
        std::mem::take(&mut self.removed)
    }

    /// Gives a dormant group its beginning. It takes part once the log has it.
    pub fn begin(&mut self, shard: ShardId, start: GroupStart) {
        if let Some(dormant) = self.dormant.get_mut(&shard) {
            dormant.start = Some(start);
            self.dirty.insert(shard);
        }
    }

    /// Whether the group does not take part yet.
    pub fn is_dormant(&self, shard: ShardId) -> bool {
        self.dormant.contains_key(&shard)
    }

    /// A leader has a new member here, which does not know of it yet: it has to fetch the leader's state first.
    pub(super) fn note_stranger(&mut self, message: &RaftMessage) {
        let (shard, me) = (message.shard, message.to);
        let from_leader = matches!(message.kind, RaftMessageKind::Append | RaftMessageKind::Heartbeat);
        let known = self.groups.contains_key(&shard) || self.dormant.contains_key(&shard);
        let leaving = self.leaving.contains_key(&shard) || self.buried.contains(&me);
        let ours = me.node() == self.node && me.shard() == shard;
        if from_leader && ours && !known && !leaving && self.strangers.len() < MAX_STRANGERS {
            self.strangers.insert(me, message.from.node());
            self.dirty.insert(shard);
        }
    }
}
