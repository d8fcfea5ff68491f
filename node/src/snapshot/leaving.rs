//! When a replica is removed, and how.
//!
//! It goes only with a proof: some member of the shard has committed a state of which it is no member. States are never taken back, and
//! its id is never used again, so that one answer is enough, from anybody. The log then says for ever that it is gone; only after that its data
//! is removed.

use std::collections::BTreeMap;
use std::time::Duration;

use covey_shard::Incarnation;
use covey_shared::ids::{ReplicaId, ShardId};
use covey_shared::members::ShardDescriptor;

use super::puller::{PullError, Puller};
use crate::completions::Completion;

/// Without a sign of a leader for this long a replica doubts that it is a member. Most elections are over by then.
const LONELY: Duration = Duration::from_secs(10);

/// Whether this state of its shard is one behind its end. One from before its birth does not have it either.
pub(super) fn shows_gone(known: &ShardDescriptor, replica: ReplicaId) -> bool {
    known.epoch.conf_ver >= replica.born().max(1) && !known.members.has(replica)
}

impl Puller {
    /// One look; without a proof nothing happens, and whoever wants it gone says so again.
    pub(super) async fn leave(&mut self, gone: ReplicaId) -> Result<(), PullError> {
        let shard = gone.shard();
        match self.is_no_member(gone).await {
            true => self.end(gone),
            false => {
                self.deps.pulls.forget(shard);
                Ok(())
            }
        }
    }

    async fn is_no_member(&self, gone: ReplicaId) -> bool {
        let shard = gone.shard();
        let known = self.deps.board.get(shard).filter(|status| status.replica == gone);
        if known.is_some_and(|known| shows_gone(&known.descriptor, gone)) {
            return true;
        }
        // Of the members that it knows perhaps none is one still.
        let (newest, _) = self.newest(shard).await;
        newest.is_some_and(|newest| shows_gone(&newest, gone))
    }

    /// Ends what is done for a replica that is no member any more, and the replica.
    pub(super) fn end(&mut self, gone: ReplicaId) -> Result<(), PullError> {
        let shard = gone.shard();
        tracing::info!(shard = shard.0, "this replica is no member any more, and is removed");
        let seated = self.deps.replicas.get(shard).is_some_and(|replica| replica.me == gone);
        if !seated {
            self.deps.lost.remove(&shard);
            return self.give_up(shard);
        }
        self.deps.pulls.leaving(shard);
        self.deps.done.push(Completion::Gone(shard));
        Ok(())
    }

    /// Has replicas that hear of no leader for long find out whether they are members still: nobody calls for one that was taken
    /// back while it was on its way, or whose machine was away when it was to be removed.
    pub(super) fn note_lonely(&mut self) {
        let now = self.deps.env.clock.monotonic();
        // One question at a time: it may take as long as a node that is away needs not to answer.
        let (mut lonely, mut asked) = (BTreeMap::new(), false);
        for replica in self.deps.replicas.all() {
            let (shard, me) = (replica.shard, replica.me);
            // One that is rebuilt shows no sign of a leader either; who builds it finds out.
            let status = self.deps.board.get(shard).filter(|status| !status.frozen);
            let Some(status) = status else { continue };
            let fresh = status.fresh_as_of.is_some_and(|at| now.since(at) < LONELY);
            if fresh || self.deps.pulls.is_busy(shard) {
                continue;
            }
            let since = *self.lonely.get(&me).unwrap_or(&now);
            if asked || now.since(since) < LONELY {
                lonely.insert(me, since);
            } else if self.deps.pulls.leave(me).is_err() {
                lonely.insert(me, now);
            } else {
                asked = true;
            }
        }
        self.lonely = lonely;
    }

    /// Removes what is left of a replica.
    pub(super) fn retire(&mut self, shard: ShardId) -> Result<(), PullError> {
        self.remove_staged(shard)?;
        Incarnation::retire(&*self.deps.kv, shard)?;
        self.deps.lost.remove(&shard);
        self.sweep(shard)?;
        self.deps.pulls.forget(shard);
        tracing::info!(shard = shard.0, "the data of a replica that is gone is removed");
        Ok(())
    }

    /// Forgets a replica that never came to be here.
    pub(super) fn give_up(&self, shard: ShardId) -> Result<(), PullError> {
        self.remove_staged(shard)?;
        self.sweep(shard)?;
        self.deps.pulls.forget(shard);
        Ok(())
    }
}

#[cfg(test)]
#[path = "leaving_test.rs"]
mod tests;
