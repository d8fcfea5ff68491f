//! Who belongs to a shard: what its replicas know, changes by its leader, and the end of replicas that are no members any more.

use covey_env::Monotonic;
use covey_shared::ids::{ReplicaId, ShardEpoch, ShardId};
use covey_shared::members::MemberChange;
use covey_shared::wire::{NotReady, ShardError, ShardReport};
use tokio::sync::oneshot;

use super::calls::NodeHandle;
use crate::raft::actor::ChangeMembers;
use crate::raft::asks::Report;

impl NodeHandle {
    /// The shard as the replica here knows it.
    pub(super) async fn members(&self, shard: ShardId) -> Result<Box<ShardReport>, ShardError> {
        if self.replicas.get(shard).is_none() {
            return Err(ShardError::NotHere(shard));
        }
        let report = self.raft.send(Report { shard }).await.ok().flatten();
        report.map(Box::new).ok_or(ShardError::NotReady(NotReady::Starting))
    }

    /// Replicates a change of the members. An outcome that is not known in time is `Uncertain`: the change names the version that it
    /// was made for, so it happens once at most, however often it is asked for.
    pub(super) async fn change_members(
        &self,
        shard: ShardId,
        change: MemberChange,
        deadline: Monotonic,
    ) -> Result<ShardEpoch, ShardError> {
        let (reply, outcome) = oneshot::channel();
        if self.raft.try_send(ChangeMembers { shard, change, reply }).is_err() {
            return Err(ShardError::Overloaded { retry_after_ms: 20 });
        }
        let left = deadline.left(self.env.clock.monotonic());
        match tokio::time::timeout(left, outcome).await {
            Ok(Ok(outcome)) => outcome.map(|reply| reply.epoch),
            Ok(Err(_)) | Err(_) => Err(ShardError::Uncertain),
        }
    }

    /// Has a replica removed, once a member of its shard has shown that it is none. Whether that is so is asked of them, not of
    /// the caller: nothing is lost by a mistaken call.
    pub(super) fn destroy(&self, gone: ReplicaId) -> Result<(), ShardError> {
        let shard = gone.shard();
        match self.replicas.get(shard).filter(|replica| replica.me == gone) {
            Some(_) => self.pulls.leave(gone),
            None => Err(ShardError::NotHere(shard)),
        }
    }
}
