//! Routes a write to the leader of its shard, and again until the outcome is known or the deadline is there.

use std::time::Duration;

use covey_env::Monotonic;
use covey_rpc::CallError as RpcError;
use covey_shared::command::ShardCommand;
use covey_shared::ids::{ModelEpoch, NodeId, ShardId};
use covey_shared::layout::ShardPlan;
use covey_shared::wire::{Class, InvalidRequest, ReplyBody, RequestBody, ShardError, WireError, WriteReply};
use thiserror::Error;
use tracing::Instrument;

use crate::cluster::Cluster;
use crate::cluster::port::{CallError, NodeCall};

/// Longest time that one try waits for a leader that does not answer, before another replica is asked.
const TRY_LIMIT: Duration = Duration::from_secs(2);

/// Why a write was not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WriteError {
    /// It was not done and can be sent again.
    #[error("shard {shard} cannot take writes now")]
    Unavailable {
        /// The shard.
        shard: ShardId,
        /// Milliseconds to wait before a retry.
        retry_after_ms: u32,
    },
    /// It may have been done.
    #[error("shard {shard} did not say in time whether the write was done; send it again, it counts once")]
    Uncertain {
        /// The shard.
        shard: ShardId,
    },
    /// It can never be done.
    #[error("shard {shard} refused the write")]
    Invalid {
        /// The shard.
        shard: ShardId,
        /// Why.
        #[source]
        source: InvalidRequest,
    },
}

/// What to do after a try.
#[derive(Clone, Debug, PartialEq)]
enum Next {
    Done(WriteReply),
    /// The named node leads.
    Redirect(NodeId),
    /// Nothing was done; ask another replica.
    Elsewhere,
    /// The leader asks for patience.
    Wait {
        pause: Duration,
    },
    /// It may have been done; the same write again is safe.
    Unknown,
    Refused(InvalidRequest),
}

/// Reads the outcome of a try.
fn judge(result: Result<ReplyBody, CallError>) -> Next {
    let wait = |ms: u32| Next::Wait {
        pause: Duration::from_millis(ms.into()),
    };
    match result {
        Ok(ReplyBody::Write(Ok(reply))) => Next::Done(reply),
        Ok(ReplyBody::Write(Err(error))) => match error {
            ShardError::NotLeader { hint: Some(node) } => Next::Redirect(node),
            ShardError::Overloaded { retry_after_ms } => wait(retry_after_ms),
            ShardError::Uncertain | ShardError::DeadlineExceeded => Next::Unknown,
            ShardError::Invalid(why) => Next::Refused(why),
            ShardError::NotLeader { hint: None }
            | ShardError::NotHere(_)
            | ShardError::StaleEpoch { .. }
            | ShardError::NotReady(_)
            | ShardError::Store
            | ShardError::Transfer(_)
            | ShardError::Members(_) => Next::Elsewhere,
        },
        Err(CallError::Rpc(RpcError::Overloaded { retry_after, .. })) => Next::Wait { pause: retry_after },
        // The call never went out, or was turned away at the door.
        Err(CallError::Rpc(RpcError::Connect { .. } | RpcError::Refused { .. })) => Next::Elsewhere,
        Err(CallError::Rpc(RpcError::Wire {
            error: WireError::ShuttingDown,
            ..
        })) => Next::Elsewhere,
        Err(CallError::WindowFull | CallError::BreakerOpen | CallError::UnknownNode | CallError::ShuttingDown) => {
            Next::Elsewhere
        }
        Ok(_) | Err(CallError::WrongReply | CallError::Rpc(_)) => Next::Unknown,
    }
}

impl Cluster {
    /// Replicates `command` in `shard`; returns once it is applied on the leader and durable on a majority.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub(crate) async fn write(
        &self,
        shard: ShardId,
        command: ShardCommand,
        deadline: Monotonic,
    ) -> Result<WriteReply, WriteError> {
        let Some(plan) = self.map.load().shard(shard).cloned() else {
            return Err(WriteError::Unavailable {
                shard,
                retry_after_ms: 0,
            });
        };
        self.write_budget.first_tries(1);
        let mut tries = Tries {
            to: self.leaders.of(&plan).unwrap_or_default(),
            plan,
            retry: 0,
            uncertain: false,
            hint: Duration::ZERO,
        };
        loop {
            let left = deadline.left(self.now());
            if left.is_zero() {
                return Err(tries.give_up());
            }
            let body = RequestBody::Write {
                shard,
                epoch: tries.plan.epoch,
                command: command.clone(),
            };
            let next = judge(self.try_write(tries.to, body, left.min(TRY_LIMIT)).await);
            let pause = match next {
                Next::Done(reply) => {
                    self.leaders.learn(shard, tries.to);
                    return Ok(reply);
                }
                Next::Refused(source) => return Err(WriteError::Invalid { shard, source }),
                next => tries.after(next),
            };
            self.leaders.forget(shard, tries.to);
            // It may have moved since.
            if let Some(plan) = self.map.load().shard(shard) {
                tries.plan.clone_from(plan);
            }
            if !self.breathe(pause, tries.retry, deadline).await {
                return Err(tries.give_up());
            }
        }
    }

    async fn try_write(&self, node: NodeId, body: RequestBody, left: Duration) -> Result<ReplyBody, CallError> {
        let span = tracing::info_span!("node.write", node = node.0, error = tracing::field::Empty);
        let call = NodeCall {
            class: Class::Write,
            left,
            model_epoch: ModelEpoch(0),
            body,
        };
        let work = async {
            let result = match self.roster.load().get(node) {
                Some(link) => link.call(call).await.map(|answer| answer.reply),
                None => Err(CallError::UnknownNode),
            };
            if let Err(error) = &result {
                tracing::Span::current().record("error", error.to_string());
            }
            result
        };
        work.instrument(span).await
    }

    /// Waits before the next try. A retry without budget waits longest, so that an overload is not multiplied.
    async fn breathe(&self, pause: Option<Duration>, retry: u32, deadline: Monotonic) -> bool {
        // A redirect costs nobody work.
        let Some(pause) = pause else { return true };
        let pause = if self.write_budget.spend() {
            pause.max(self.pause(retry))
        } else {
            pause.max(self.backoff.max)
        };
        let left = deadline.left(self.now());
        if pause >= left {
            return false;
        }
        tokio::time::sleep(pause).await;
        true
    }
}

/// The tries of one write.
struct Tries {
    plan: ShardPlan,
    to: NodeId,
    retry: u32,
    /// A try may have been done.
    uncertain: bool,
    /// The longest pause that a leader asked for.
    hint: Duration,
}

impl Tries {
    /// Where to go next, and the pause before; `None` = at once.
    fn after(&mut self, next: Next) -> Option<Duration> {
        self.retry += 1;
        match next {
            // A chain of wrong hints must not become a busy loop.
            Next::Redirect(node) if self.retry <= 2 => {
                self.to = node;
                return None;
            }
            Next::Wait { pause } => {
                self.hint = self.hint.max(pause);
                return Some(pause);
            }
            Next::Redirect(node) => self.to = node,
            Next::Elsewhere => self.to = self.plan.next_after(self.to),
            Next::Unknown => {
                self.uncertain = true;
                self.to = self.plan.next_after(self.to);
            }
            Next::Done(_) | Next::Refused(_) => unreachable!("the caller has returned"),
        }
        Some(Duration::ZERO)
    }

    fn give_up(&self) -> WriteError {
        let shard = self.plan.shard;
        if self.uncertain {
            return WriteError::Uncertain { shard };
        }
        let hint = self.hint.max(Duration::from_millis(100));
        WriteError::Unavailable {
            shard,
            retry_after_ms: hint.as_millis().try_into().unwrap_or(u32::MAX),
        }
    }
}

#[cfg(test)]
#[path = "write_test.rs"]
mod tests;
