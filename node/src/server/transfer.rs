//! Hands leaderships to other nodes: that of one shard to a named one, or all, before the node stops.

use std::sync::Arc;
use std::time::Duration;

use covey_env::Monotonic;
use covey_shared::ids::{NodeId, ShardId, Term};
use covey_shared::wire::{ShardError, TransferFault};

use super::calls::NodeHandle;
use crate::raft::HandTo;
use crate::raft::asks::{HandOver, Transfer};
use crate::replicas::Replica;

/// Pause between two looks. An offer that is not taken lapses after a heartbeat, and is made again.
const AGAIN: Duration = Duration::from_millis(50);
/// Time that the answer needs to come back: why it was not done is worth more than a call that was cut off.
const WAY: Duration = Duration::from_millis(200);

/// Offers at most. One that is not taken holds the writes of its group back until it lapses.
const OFFERS: usize = 3;
/// From one offer to the next: more than an election timeout, by default, so that a leader that is cut off still notices it.
const OFFER_PAUSE: Duration = Duration::from_millis(1500);

impl NodeHandle {
    /// Offers it until `to` leads, so often, or until the deadline is there.
    pub(super) async fn transfer_leader(
        &self,
        shard: ShardId,
        to: NodeId,
        deadline: Monotonic,
    ) -> Result<Term, ShardError> {
        if self.replicas.get(shard).is_none() {
            return Err(ShardError::NotHere(shard));
        }
        let mut fault = TransferFault::Declined;
        let (mut offers, mut offered) = (0, None::<Monotonic>);
        loop {
            let now = self.env.clock.monotonic();
            let rested = offered.is_none_or(|at| now.since(at) >= OFFER_PAUSE);
            let leader = self
                .board
                .get(shard)
                .and_then(|status| Some((status.leader?, status.term)));
            match leader {
                // What a replica that was not asked to lead or to offer thinks may be long over.
                Some((node, term)) if node == to && (offers > 0 || to == self.node) => return Ok(term),
                Some((node, _)) if node == self.node && rested => {
                    if offers == OFFERS {
                        return Err(ShardError::Transfer(fault));
                    }
                    match self.offer(shard, to).await {
                        Ok(true) => (offers, offered) = (offers + 1, Some(now)),
                        Ok(false) => {}
                        Err(ShardError::Transfer(TransferFault::NotAVoter(node))) => {
                            return Err(ShardError::Transfer(TransferFault::NotAVoter(node)));
                        }
                        // It may catch up, or be heard of again.
                        Err(ShardError::Transfer(other)) => fault = other,
                        Err(error) => return Err(error),
                    }
                }
                Some((node, _)) if node == self.node => {}
                Some((hint, _)) => return Err(ShardError::NotLeader { hint: Some(hint) }),
                None if offers == 0 => return Err(ShardError::NotLeader { hint: None }),
                // The next one is being elected.
                None => {}
            }
            if deadline.left(now) <= AGAIN + WAY {
                return Err(ShardError::Transfer(fault));
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Declines to lead from now on, and offers every leadership to members that are up to date, for at most so long: whoever
    /// writes then waits for about a round trip, not for an election.
    pub(crate) async fn step_down(&self, most: Duration) {
        self.board.stop();
        let (all, peers) = (self.replicas.all(), |r: &&Arc<Replica>| {
            r.applied().members.voters.len() > 1
        });
        let shared: Vec<ShardId> = all.iter().filter(peers).map(|replica| replica.shard).collect();
        let leads = || shared.iter().filter(|shard| self.board.leads(**shard)).count();
        let led = leads();
        let offers = async {
            while leads() > 0 && self.raft.send(HandOver(HandTo::Anyone)).await.is_ok() {
                tokio::time::sleep(AGAIN).await;
            }
        };
        let all = tokio::time::timeout(most, offers).await.is_ok();
        if led > 0 {
            tracing::info!(led, all, "others were to lead before the stop");
        }
    }

    async fn offer(&self, shard: ShardId, to: NodeId) -> Result<bool, ShardError> {
        match self.raft.send(Transfer { shard, to }).await {
            Ok(offered) => offered,
            // The node stops.
            Err(_) => Err(ShardError::NotLeader { hint: None }),
        }
    }
}
