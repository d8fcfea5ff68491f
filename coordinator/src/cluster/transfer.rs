//! Has another node lead a shard.

use std::time::Duration;

use covey_env::Monotonic;
use covey_shared::ids::{ModelEpoch, NodeId, ShardId, Term};
use covey_shared::wire::{Class, ReplyBody, RequestBody, ShardError};

use crate::cluster::Cluster;
use crate::cluster::port::{CallError, NodeCall};
use crate::cluster::progress::ShardFailure;

/// Pause before another replica is asked while nobody leads.
const AGAIN: Duration = Duration::from_millis(100);
/// Time that the leader's answer needs to come back: it should be the one that gives up.
const WAY: Duration = Duration::from_millis(200);

/// Who leads now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transferred {
    /// Who was asked, and led until then; `to` if that one led already.
    pub(crate) from: NodeId,
    pub(crate) term: Term,
}

impl Cluster {
    /// Finds the leader of `shard` and has it hand over to `to`. Both are known.
    ///
    /// # Errors
    /// Why it still leads, or why no leader was found.
    pub(crate) async fn transfer_leader(
        &self,
        shard: ShardId,
        to: NodeId,
        deadline: Monotonic,
    ) -> Result<Transferred, ShardFailure> {
        let plan = self.map.shard(shard).ok_or(ShardError::NotHere(shard))?;
        let mut asked = self.leaders.of(plan).unwrap_or_default();
        loop {
            let left = deadline.left(self.now());
            let failure = match self.ask_to_transfer(asked, (shard, to), left.saturating_sub(WAY)).await {
                Ok(term) => {
                    self.leaders.learn(shard, to);
                    return Ok(Transferred { from: asked, term });
                }
                Err(failure) => failure,
            };
            let hint = match &failure {
                ShardFailure::Shard(ShardError::NotLeader { hint }) => *hint,
                ShardFailure::Call(_) | ShardFailure::OutOfTime => None,
                ShardFailure::Shard(_) => return Err(failure),
            };
            self.leaders.forget(shard, asked);
            if deadline.left(self.now()) <= AGAIN + WAY {
                return Err(failure);
            }
            let at = plan.voters.iter().position(|voter| voter.node == asked).unwrap_or(0);
            asked = hint.unwrap_or(plan.voters[(at + 1) % plan.voters.len()].node);
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn ask_to_transfer(
        &self,
        node: NodeId,
        (shard, to): (ShardId, NodeId),
        left: Duration,
    ) -> Result<Term, ShardFailure> {
        let call = NodeCall {
            class: Class::Admin,
            left,
            model_epoch: ModelEpoch(0),
            body: RequestBody::TransferLeader { shard, to },
        };
        let link = self.links.get(&node).ok_or(CallError::UnknownNode)?;
        match link.call(call).await? {
            ReplyBody::TransferLeader(outcome) => Ok(outcome?),
            _ => Err(CallError::WrongReply.into()),
        }
    }
}

#[cfg(test)]
#[path = "transfer_test.rs"]
mod tests;
