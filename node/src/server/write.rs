//! Writes: encode, propose, wait until applied here.

use covey_env::Monotonic;
use covey_shared::codec;
use covey_shared::command::{PROPOSAL_VERSION, Proposal, ShardCommand};
use covey_shared::ids::{ShardEpoch, ShardId, UnixMillis};
use covey_shared::wire::{InvalidRequest, ShardError, WriteReply};
use tokio::sync::oneshot;
use tracing::Instrument;

use super::calls::NodeHandle;
use crate::raft::actor::Propose;

/// Pause for writers while the disk is nearly full: by then another node leads, if there is one with room.
const DISK_RETRY_MS: u32 = 1000;

impl NodeHandle {
    /// Replicates `command`. An outcome that is not known in time is `Uncertain`: the caller retries, items are
    /// idempotent.
    pub(crate) async fn write(
        &self,
        shard: ShardId,
        epoch: ShardEpoch,
        command: ShardCommand,
        deadline: Monotonic,
    ) -> Result<WriteReply, ShardError> {
        let span = tracing::info_span!("shard.write", shard = shard.0, items = command.len());
        self.replicate(shard, epoch, command, deadline).instrument(span).await
    }

    async fn replicate(
        &self,
        shard: ShardId,
        epoch: ShardEpoch,
        command: ShardCommand,
        deadline: Monotonic,
    ) -> Result<WriteReply, ShardError> {
        let replica = self.replicas.get(&shard).ok_or(ShardError::NotHere(shard))?;
        let status = self.board.get(shard);
        if !self.board.leads(shard) {
            return Err(ShardError::NotLeader {
                hint: status.and_then(|s| s.leader).filter(|n| *n != self.node),
            });
        }
        if command.is_empty() || command.len() > self.max_batch_items {
            return Err(ShardError::Invalid(InvalidRequest::TooLarge));
        }
        if grows(&command) && self.board.disk_low() {
            return Err(ShardError::Overloaded {
                retry_after_ms: DISK_RETRY_MS,
            });
        }
        let full = replica.view.pressure().is_some() || self.board.log_bytes() > self.max_log_bytes;
        if grows(&command) && full {
            return Err(ShardError::Overloaded { retry_after_ms: 100 });
        }
        let log_time = UnixMillis(self.env.clock.unix_ms());
        let proposal = Proposal {
            epoch: replica.plan.epoch,
            log_time,
            body: command,
        };
        let data = codec::encode_versioned(PROPOSAL_VERSION, &proposal)
            .map_err(|_| ShardError::Invalid(InvalidRequest::EntryTooLarge))?;
        if data.len() > self.max_entry_bytes {
            return Err(ShardError::Invalid(InvalidRequest::EntryTooLarge));
        }
        let (reply, outcome) = oneshot::channel();
        let message = Propose {
            shard,
            epoch,
            data,
            reply,
        };
        if self.raft.try_send(message).is_err() {
            return Err(ShardError::Overloaded { retry_after_ms: 20 });
        }
        let left = deadline.left(self.env.clock.monotonic());
        match tokio::time::timeout(left, outcome).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Err(ShardError::Uncertain),
        }
    }
}

/// What may be refused when the replica is full; trims and deliveries free room.
fn grows(command: &ShardCommand) -> bool {
    matches!(
        command,
        ShardCommand::PutPosts(_) | ShardCommand::PutUsers(_) | ShardCommand::RecordActions(_)
    )
}
