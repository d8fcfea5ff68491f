//! Hands leaderships to other nodes: that of one shard to a named one, or all, before the node stops.

use std::time::Duration;

use covey_env::Monotonic;
use covey_shared::ids::{NodeId, ShardId, Term};
use covey_shared::wire::{ShardError, TransferFault};

use super::calls::NodeHandle;
use crate::raft::HandTo;
use crate::raft::actor::{HandOver, Transfer};

/// Pause between two looks. An offer that is not taken lapses after a heartbeat, and is made again.
const AGAIN: Duration = Duration::from_millis(50);
/// Time that the answer needs to come back: why it was not done is worth more than a call that was cut off.
const WAY: Duration = Duration::from_millis(200);

impl NodeHandle {
    /// Offers it until `to` leads, as far as this replica knows, or the deadline is there.
    pub(super) async fn transfer_leader(
        &self,
        shard: ShardId,
        to: NodeId,
        deadline: Monotonic,
    ) -> Result<Term, ShardError> {
        if !self.replicas.contains_key(&shard) {
            return Err(ShardError::NotHere(shard));
        }
        let mut fault = TransferFault::Declined;
        let mut offered = false;
        loop {
            let leader = self
                .board
                .get(shard)
                .and_then(|status| Some((status.leader?, status.term)));
            match leader {
                Some((node, term)) if node == to => return Ok(term),
                Some((node, _)) if node == self.node => match self.offer(shard, to).await {
                    Ok(()) => offered = true,
                    // It may catch up.
                    Err(ShardError::Transfer(behind @ TransferFault::Behind { .. })) => fault = behind,
                    Err(error) => return Err(error),
                },
                // It may have led for a moment only.
                Some((hint, _)) => return Err(ShardError::NotLeader { hint: Some(hint) }),
                None if !offered => return Err(ShardError::NotLeader { hint: None }),
                // The next one is being elected.
                None => {}
            }
            if deadline.left(self.env.clock.monotonic()) <= AGAIN + WAY {
                return Err(ShardError::Transfer(fault));
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Offers every leadership to members that are up to date, for at most so long: whoever writes then waits for about a
    /// round trip, not for an election.
    pub(crate) async fn step_down(&self, most: Duration) {
        let deadline = self.env.clock.monotonic().plus(most);
        let others = self.replicas.values().filter(|replica| replica.plan.voters.len() > 1);
        let shared: Vec<ShardId> = others.map(|replica| replica.plan.shard).collect();
        let leads = || shared.iter().filter(|shard| self.board.leads(**shard)).count();
        let before = leads();
        while leads() > 0 && !deadline.left(self.env.clock.monotonic()).is_zero() {
            if self.raft.send(HandOver(HandTo::Anyone)).await.is_err() {
                return;
            }
            tokio::time::sleep(AGAIN).await;
        }
        if before > 0 {
            let kept = leads();
            tracing::info!(
                led = before,
                kept,
                "leaderships were offered to the other nodes before the stop"
            );
        }
    }

    async fn offer(&self, shard: ShardId, to: NodeId) -> Result<(), ShardError> {
        match self.raft.send(Transfer { shard, to }).await {
            Ok(offered) => offered,
            // The node stops.
            Err(_) => Err(ShardError::NotLeader { hint: None }),
        }
    }
}
