//! Compares the replicas of shards: at one log index all of them hold the same, whatever their files look like.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use covey_env::Monotonic;
use covey_shared::ids::{LogIndex, NodeId, ShardId};
use covey_shared::wire::{ReplyBody, RequestBody, ShardError};
use futures::future::join_all;

use crate::cluster::Cluster;
use crate::cluster::port::CallError;
use crate::cluster::progress::ShardFailure;

/// Replicas that write meanwhile are hashed at different indexes, so they are asked again, at most so often.
const LOOKS: u32 = 10;
/// First pause between two looks; each one is twice as long as the one before, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What the answers of a shard's replicas say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All replicas have applied the same and hold the same.
    Equal,
    /// Two replicas have applied the same and hold different things.
    Different,
    /// A replica gave no answer, or they have not been met at one index.
    Undecided,
}

/// What a replica has applied, and the hash of what it holds then.
type State = (LogIndex, u64);

/// What one replica says.
#[derive(Debug)]
pub(crate) struct ReplicaCheck {
    pub(crate) node: NodeId,
    pub(crate) state: Result<State, ShardFailure>,
}

/// One shard as its replicas say at the last look, by node.
#[derive(Debug)]
pub(crate) struct ShardCheck {
    pub(crate) shard: ShardId,
    pub(crate) replicas: Vec<ReplicaCheck>,
}

impl ShardCheck {
    pub(crate) fn verdict(&self) -> Verdict {
        let mut hashes: BTreeMap<LogIndex, BTreeSet<u64>> = BTreeMap::new();
        for (index, hash) in self.replicas.iter().flat_map(|replica| &replica.state) {
            hashes.entry(*index).or_default().insert(*hash);
        }
        let all_answered = self.replicas.iter().all(|replica| replica.state.is_ok());
        if hashes.values().any(|of_index| of_index.len() > 1) {
            Verdict::Different
        } else if all_answered && hashes.len() == 1 {
            Verdict::Equal
        } else {
            Verdict::Undecided
        }
    }
}

impl Cluster {
    /// Asks the replicas of `shards` what they hold, all of the cluster's if none is named, until each shard is decided or
    /// has a replica whose node does not answer, they were asked often enough, or the deadline is near.
    pub(crate) async fn check(&self, shards: &[ShardId], deadline: Monotonic) -> Vec<ShardCheck> {
        let mut open: BTreeSet<ShardId> = match shards {
            [] => self.all_shards().into_iter().collect(),
            some => some.iter().copied().collect(),
        };
        let mut checks: BTreeMap<ShardId, ShardCheck> = BTreeMap::new();
        let mut pause = FIRST_PAUSE;
        for look in 1..=LOOKS {
            for check in self.look(&open, deadline).await {
                let silent = |replica: &ReplicaCheck| matches!(replica.state, Err(ShardFailure::Call(_)));
                if check.verdict() != Verdict::Undecided || check.replicas.iter().any(silent) {
                    open.remove(&check.shard);
                }
                checks.insert(check.shard, check);
            }
            if open.is_empty() || look == LOOKS || pause * 2 >= deadline.left(self.now()) {
                break;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        checks.into_values().collect()
    }

    /// Whether the map has this shard.
    pub(crate) fn has_shard(&self, shard: ShardId) -> bool {
        self.map.load().shard(shard).is_some()
    }

    /// One call to each node that has a replica of any of `shards`.
    async fn look(&self, shards: &BTreeSet<ShardId>, deadline: Monotonic) -> Vec<ShardCheck> {
        let map = self.map.load();
        let plans: Vec<_> = shards.iter().filter_map(|shard| map.shard(*shard)).collect();
        let mut asked: BTreeMap<NodeId, Vec<ShardId>> = BTreeMap::new();
        for plan in &plans {
            for voter in &plan.voters {
                asked.entry(voter.node).or_default().push(plan.shard);
            }
        }
        let calls = asked
            .into_iter()
            .map(|(node, shards)| self.hashes(node, shards, deadline));
        let mut found: BTreeMap<(ShardId, NodeId), _> = join_all(calls).await.into_iter().flatten().collect();
        let check = |plan: &covey_shared::layout::ShardPlan| {
            let mut replicas: Vec<ReplicaCheck> = plan
                .voters
                .iter()
                .filter_map(|voter| Some((voter.node, found.remove(&(plan.shard, voter.node))?)))
                .map(|(node, state)| ReplicaCheck { node, state })
                .collect();
            replicas.sort_unstable_by_key(|replica| replica.node);
            ShardCheck {
                shard: plan.shard,
                replicas,
            }
        };
        plans.into_iter().map(check).collect()
    }

    /// What `node` says of each of `shards`.
    async fn hashes(
        &self,
        node: NodeId,
        shards: Vec<ShardId>,
        deadline: Monotonic,
    ) -> Vec<((ShardId, NodeId), Result<State, ShardFailure>)> {
        let body = RequestBody::LogicalHash { shards: shards.clone() };
        let replies = match self.admin(node, body, deadline.left(self.now())).await {
            Ok(ReplyBody::LogicalHash(replies)) => Ok(replies),
            Ok(_) => Err(CallError::WrongReply),
            Err(error) => Err(error),
        };
        let state = |shard: ShardId| -> Result<State, ShardFailure> {
            match &replies {
                Err(error) => Err(error.clone().into()),
                Ok(replies) => match replies.iter().find(|reply| reply.about.shard == shard) {
                    None => Err(ShardError::NotHere(shard).into()),
                    Some(reply) => match &reply.result {
                        Ok(hash) => Ok((reply.about.applied, *hash)),
                        Err(error) => Err(error.clone().into()),
                    },
                },
            }
        };
        shards.into_iter().map(|shard| ((shard, node), state(shard))).collect()
    }
}

#[cfg(test)]
#[path = "check_test.rs"]
mod tests;
