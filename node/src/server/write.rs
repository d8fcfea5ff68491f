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

/// Pause for writers while the log or the memory is full.
const FULL_RETRY_MS: u32 = 100;
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
        let log = self.board.log_bytes();
        let retry_after_ms = match Need::of(&command) {
            Need::FreesRoom => 0,
            Need::Urgent if log > self.max_log_bytes / 4 * 5 => FULL_RETRY_MS,
            Need::Urgent => 0,
            Need::Repeated | Need::Content if self.board.disk_low() => DISK_RETRY_MS,
            Need::Repeated | Need::Content if log > self.max_log_bytes => FULL_RETRY_MS,
            Need::Content if replica.view.pressure().is_some() => FULL_RETRY_MS,
            Need::Repeated | Need::Content => 0,
        };
        if retry_after_ms > 0 {
            return Err(ShardError::Overloaded { retry_after_ms });
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

/// What is refused first when room runs out: every command makes the log longer.
enum Need {
    /// Trims: never refused.
    FreesRoom,
    /// What takes content away from people: has a quarter of the log's bound to itself.
    Urgent,
    /// Deliveries, which are sent again, and what was served, which may be lost.
    Repeated,
    /// What fills memory and disk beyond the log too.
    Content,
}

impl Need {
    fn of(command: &ShardCommand) -> Need {
        match command {
            ShardCommand::TrimBefore(_) | ShardCommand::TrimOutbox(_) => Need::FreesRoom,
            ShardCommand::DeletePosts(_) | ShardCommand::SetLabels(_) => Need::Urgent,
            ShardCommand::ApplyEffects(_) | ShardCommand::RecordServed(_) => Need::Repeated,
            ShardCommand::PutPosts(_) | ShardCommand::PutUsers(_) | ShardCommand::RecordActions(_) => Need::Content,
        }
    }
}
