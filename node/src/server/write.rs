//! Writes: encode, propose, wait until applied here.

use covey_env::Monotonic;
use covey_shared::command::{Proposal, ShardCommand};
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
        let replica = self.replicas.get(shard).ok_or(ShardError::NotHere(shard))?;
        let status = self.board.get(shard);
        if !self.board.leads(shard) {
            return Err(ShardError::NotLeader {
                hint: status.and_then(|s| s.leader).filter(|n| *n != self.node),
            });
        }
        if command.is_empty() || command.len() > self.max_batch_items {
            return Err(ShardError::Invalid(InvalidRequest::TooLarge));
        }
        let need = Need::of(&command);
        let room = Room {
            log: self.board.log_bytes(),
            max_log: self.max_log_bytes,
            disk_low: self.board.disk_low(),
            // Adds up all parts of the replica: only for what asks.
            pressure: matches!(need, Need::Content) && replica.view().pressure().is_some(),
        };
        if let Some(retry_after_ms) = room.refuses(need) {
            return Err(ShardError::Overloaded { retry_after_ms });
        }
        let log_time = UnixMillis(self.env.clock.unix_ms());
        let proposal = Proposal {
            epoch: replica.applied().epoch,
            log_time,
            body: command,
        };
        let data = proposal
            .encode()
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

/// What room there is for a command.
#[derive(Clone, Copy, Debug)]
struct Room {
    /// Bytes of the log that are still needed.
    log: u64,
    max_log: u64,
    disk_low: bool,
    /// Memory is full, or vectors wait to be sealed. Only known for content.
    pressure: bool,
}

impl Room {
    /// The pause before another try, in milliseconds, if there is no room.
    fn refuses(self, need: Need) -> Option<u32> {
        let reserve = self.max_log / 4;
        match need {
            Need::FreesRoom => None,
            Need::Urgent => (self.log > self.max_log + reserve).then_some(FULL_RETRY_MS),
            Need::Repeated | Need::Content if self.disk_low => Some(DISK_RETRY_MS),
            Need::Repeated => (self.log > self.max_log).then_some(FULL_RETRY_MS),
            Need::Content => (self.log > self.max_log || self.pressure).then_some(FULL_RETRY_MS),
        }
    }
}

/// What is refused first when room runs out: every command makes the log longer.
#[derive(Clone, Copy, Debug)]
enum Need {
    /// Trims: never refused.
    FreesRoom,
    /// What takes content away from people, and what keeps the cluster whole: has a quarter of the log's bound to itself.
    Urgent,
    /// Deliveries and checks, which are sent again, and what was served, which may be lost.
    Repeated,
    /// What fills memory and disk beyond the log too.
    Content,
}

impl Need {
    fn of(command: &ShardCommand) -> Need {
        match command {
            ShardCommand::TrimBefore(_) | ShardCommand::TrimOutbox(_) => Need::FreesRoom,
            ShardCommand::DeletePosts(_) | ShardCommand::SetLabels(_) | ShardCommand::Metadata(_) => Need::Urgent,
            ShardCommand::ApplyEffects(_)
            | ShardCommand::RecordServed(_)
            | ShardCommand::ComputeHash
            | ShardCommand::VerifyHash { .. } => Need::Repeated,
            ShardCommand::PutPosts(_) | ShardCommand::PutUsers(_) | ShardCommand::RecordActions(_) => Need::Content,
        }
    }
}

#[cfg(test)]
#[path = "write_test.rs"]
mod tests;
