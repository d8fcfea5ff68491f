//! What a strong read has to wait for.

use std::time::Duration;

use covey_env::Monotonic;
use covey_shared::ids::{LogIndex, ShardEpoch, ShardId};
use covey_shared::wire::ShardError;
use futures::future::join_all;
use tokio::sync::oneshot;

use super::calls::NodeHandle;
use crate::apply::MAX_REPLICAS;
use crate::raft::asks::ReadIndex;

/// Time that the answer needs to come back: that of one shard without a majority must not cost those of the others.
const WAY: Duration = Duration::from_millis(100);

impl NodeHandle {
    /// Of each shard the index that covers everything acknowledged before the call, if this node leads it and a majority says so in time.
    pub(super) async fn read_indexes(
        &self,
        shards: Vec<(ShardId, ShardEpoch)>,
        deadline: Monotonic,
    ) -> Vec<(ShardId, Result<LogIndex, ShardError>)> {
        // Who asks for more than can be here gets no answer for the rest.
        let asked = shards
            .into_iter()
            .take(MAX_REPLICAS)
            .map(|(shard, epoch)| async move { (shard, self.read_index(shard, epoch, deadline).await) });
        join_all(asked).await
    }

    /// The same of one shard.
    pub(super) async fn read_index(
        &self,
        shard: ShardId,
        epoch: ShardEpoch,
        deadline: Monotonic,
    ) -> Result<LogIndex, ShardError> {
        let (reply, answer) = oneshot::channel();
        if self.raft.try_send(ReadIndex { shard, epoch, reply }).is_err() {
            return Err(ShardError::Overloaded { retry_after_ms: 20 });
        }
        let left = deadline.left(self.env.clock.monotonic()).saturating_sub(WAY);
        match tokio::time::timeout(left, answer).await {
            Ok(Ok(Ok(covered))) => Ok(covered.index),
            // No majority says so: it may not lead any more.
            Ok(Ok(Err(ShardError::Uncertain)) | Err(_)) | Err(_) => Err(ShardError::NotLeader { hint: None }),
            Ok(Ok(Err(error))) => Err(error),
        }
    }
}
