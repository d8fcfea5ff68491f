//! Strong reads: the leaders say, each confirmed by a majority, how far their logs go; any replica that has applied that much may answer.

use std::collections::BTreeMap;
use std::time::Duration;

use covey_env::Monotonic;
use covey_shared::ids::{LogIndex, ModelEpoch, NodeId, ShardEpoch, ShardId};
use covey_shared::session::{Seen, SessionToken};
use covey_shared::wire::{Class, ReplyBody, RequestBody, ShardError};
use futures::future::join_all;

use crate::cluster::Cluster;
use crate::cluster::port::{CallError, NodeCall};

/// Pause before others are asked.
const AGAIN: Duration = Duration::from_millis(50);
/// Longest time that one try waits: a leader that is stopped must not use up the deadline.
const TRY_LIMIT: Duration = Duration::from_millis(500);

type Wanted = Vec<(ShardId, ShardEpoch)>;
type Answers = Vec<(ShardId, Result<LogIndex, ShardError>)>;

impl Cluster {
    /// A token of everything that was acknowledged in these shards before the call.
    ///
    /// # Errors
    /// The shards for which no majority has confirmed a leader in time.
    pub(crate) async fn fence(&self, shards: Vec<ShardId>, deadline: Monotonic) -> Result<SessionToken, Vec<ShardId>> {
        let mut token = SessionToken::default();
        // With the node to ask, if it is known better than from the map.
        let mut open: BTreeMap<ShardId, Option<NodeId>> = shards.into_iter().map(|shard| (shard, None)).collect();
        loop {
            let left = deadline.left(self.now()).min(TRY_LIMIT);
            let asked = self.by_leader(&open).into_iter();
            let rounds = join_all(asked.map(|(node, shards)| self.ask_indexes(node, shards, left))).await;
            for (node, shard, answer) in rounds.into_iter().flatten() {
                if let Some(next) = self.take_in(node, shard, answer, &mut token) {
                    open.insert(shard, next);
                } else {
                    open.remove(&shard);
                }
            }
            if open.is_empty() {
                return Ok(token);
            }
            if deadline.left(self.now()) <= AGAIN {
                return Err(open.into_keys().collect());
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// One call per node.
    fn by_leader(&self, open: &BTreeMap<ShardId, Option<NodeId>>) -> BTreeMap<NodeId, Wanted> {
        let map = self.map.load();
        let mut asked: BTreeMap<NodeId, Wanted> = BTreeMap::new();
        for (shard, known) in open {
            let Some(plan) = map.shard(*shard) else { continue };
            let node = known.or_else(|| self.leaders.of(plan)).unwrap_or_default();
            asked.entry(node).or_default().push((*shard, plan.epoch));
        }
        asked
    }

    async fn ask_indexes(
        &self,
        node: NodeId,
        shards: Wanted,
        left: Duration,
    ) -> Vec<(NodeId, ShardId, Option<Result<LogIndex, ShardError>>)> {
        let answers = self.call_indexes(node, shards.clone(), left).await.unwrap_or_default();
        let answer = |shard: ShardId| {
            answers
                .iter()
                .find(|(of, _)| *of == shard)
                .map(|(_, answer)| answer.clone())
        };
        shards
            .into_iter()
            .map(|(shard, _)| (node, shard, answer(shard)))
            .collect()
    }

    async fn call_indexes(&self, node: NodeId, shards: Wanted, left: Duration) -> Result<Answers, CallError> {
        let call = NodeCall {
            class: Class::Query,
            left,
            model_epoch: ModelEpoch(0),
            body: RequestBody::ReadIndexes { shards },
        };
        let links = self.roster.load();
        let link = links.get(node).ok_or(CallError::UnknownNode)?;
        match link.call(call).await?.reply {
            ReplyBody::ReadIndexes(answers) => Ok(answers),
            _ => Err(CallError::WrongReply),
        }
    }

    /// What a node has said of a shard, if anything; who to ask next, if that is needed.
    fn take_in(
        &self,
        node: NodeId,
        shard: ShardId,
        answer: Option<Result<LogIndex, ShardError>>,
        token: &mut SessionToken,
    ) -> Option<Option<NodeId>> {
        let map = self.map.load();
        let plan = map.shard(shard)?;
        let hint = match answer {
            Some(Ok(index)) => {
                self.leaders.learn(shard, node);
                let range_ver = plan.epoch.range_ver;
                token.observe(Seen {
                    shard,
                    range_ver,
                    index,
                });
                return None;
            }
            Some(Err(ShardError::NotLeader { hint })) => hint,
            // It leads, and is only busy, or has just begun.
            Some(Err(ShardError::Overloaded { .. } | ShardError::NotReady(_))) => return Some(Some(node)),
            _ => None,
        };
        self.leaders.forget(shard, node);
        Some(Some(hint.unwrap_or_else(|| plan.next_after(node))))
    }
}

#[cfg(test)]
#[path = "read_index_test.rs"]
mod tests;
