//! Questions of members that lack data.

use covey_shared::ids::{LogIndex, ShardId};
use covey_shared::wire::{NotReady, OpenedSnapshot, ReplicaRole, ShardError, Standing};

use super::calls::NodeHandle;

impl NodeHandle {
    /// How far the log of a replica goes.
    pub(super) fn standing(&self, shard: ShardId) -> Result<Standing, ShardError> {
        if self.pulls.is_lost(shard) {
            return Ok(Standing::default());
        }
        if self.replicas.get(shard).is_none() {
            return Err(ShardError::NotHere(shard));
        }
        // The actor publishes before it sends: this is not older than any promise that it made.
        let status = self.board.get(shard).ok_or(ShardError::NotReady(NotReady::Starting))?;
        Ok(Standing {
            term: status.term,
            last: status.last,
            leads: status.role == ReplicaRole::Leader,
        })
    }

    /// A snapshot from which the log goes on.
    pub(super) fn open_snapshot(&self, shard: ShardId, at_least: LogIndex) -> Result<Box<OpenedSnapshot>, ShardError> {
        let replica = self.replicas.get(shard).ok_or(ShardError::NotHere(shard))?;
        let status = self.board.get(shard).ok_or(ShardError::NotReady(NotReady::Starting))?;
        if status.role != ReplicaRole::Leader {
            return Err(ShardError::NotLeader {
                hint: status.leader.filter(|node| *node != self.node),
            });
        }
        let view = replica.view();
        if view.applied_index() < at_least.max(status.conf_index) {
            return Err(ShardError::NotReady(NotReady::Behind));
        }
        // Who fetches it may have become a member by the newest change.
        let oldest = LogIndex(status.first.0.saturating_sub(1)).max(status.conf_index);
        let (id, manifest) = self.snapshots.open(shard, view, at_least.max(oldest))?;
        Ok(Box::new(OpenedSnapshot {
            id,
            leader_term: status.term,
            manifest,
        }))
    }
}
