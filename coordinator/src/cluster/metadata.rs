//! Asks the leader of the metadata, and has it change what is kept there.

use std::time::Duration;

use covey_env::Monotonic;
use covey_shared::command::{ItemResult, ShardCommand};
use covey_shared::ids::{LogIndex, NodeId, OperationId, ShardEpoch, ShardId};
use covey_shared::metadata::{ClusterView, MetadataChange, Operation, OperationFault};
use covey_shared::wire::{InvalidRequest, ReplyBody, RequestBody, ShardError};
use thiserror::Error;

use crate::cluster::Cluster;
use crate::cluster::port::CallError;
use crate::cluster::progress::ShardFailure;

/// Pause before another replica is asked while nobody leads.
const AGAIN: Duration = Duration::from_millis(100);
/// Longest time that one try waits: a leader that is stopped must not use up the deadline.
const TRY_LIMIT: Duration = Duration::from_secs(1);
/// Pause before a change is asked for again while the cluster has only just begun: each refusal is a line of the audit log.
const SETTLING: Duration = Duration::from_millis(500);
/// Wrong hints that are followed at once: a chain of them must not become a busy loop.
const QUICK_REDIRECTS: u32 = 2;

/// Why the metadata says nothing.
#[derive(Debug, Error)]
pub(crate) enum MetadataError {
    /// Nothing was done.
    #[error(
        "the metadata of the cluster has no leader that answers, so operations wait and cannot be begun or seen; reads and writes go on"
    )]
    NoLeader(#[source] ShardFailure),
    /// The change may have been made.
    #[error(
        "the metadata of the cluster did not say in time whether it was done; reads and writes go on; ask again, it counts once"
    )]
    Uncertain(#[source] ShardFailure),
    /// The request can never be done.
    #[error("the metadata of the cluster refused the request")]
    Invalid(#[source] InvalidRequest),
}

/// What came of an operator's request.
pub(crate) type Outcome<T> = Result<Result<T, OperationFault>, MetadataError>;

/// A change that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    /// What it is about; 0: no operation.
    pub(crate) operation: OperationId,
    /// Where in the log.
    pub(crate) index: LogIndex,
}

/// A reply of the leader.
struct Answer {
    body: ReplyBody,
    /// An earlier try may have been done, too.
    again: bool,
}

impl Cluster {
    /// All of the metadata, with so many lines of the audit log.
    pub(crate) async fn describe(&self, audit: u32, deadline: Monotonic) -> Result<ClusterView, MetadataError> {
        let answer = self
            .ask_metadata_leader(|_| RequestBody::Describe { audit }, deadline)
            .await?;
        match answer.body {
            ReplyBody::Describe(Ok(view)) => {
                view.shards.iter().for_each(|shard| self.map.learn(&shard.descriptor));
                Ok(*view)
            }
            _ => Err(MetadataError::NoLeader(CallError::WrongReply.into())),
        }
    }

    /// What an operation would begin, without beginning it.
    pub(crate) async fn rehearse(&self, what: Operation, deadline: Monotonic) -> Outcome<Vec<Operation>> {
        let answer = self
            .ask_metadata_leader(|_| RequestBody::Rehearse(what), deadline)
            .await?;
        match answer.body {
            ReplyBody::Rehearse(Ok(planned)) => Ok(planned),
            _ => Err(MetadataError::NoLeader(CallError::WrongReply.into())),
        }
    }

    /// Changes the metadata. Where the cluster has only just begun, once it is known.
    pub(crate) async fn change(&self, change: &MetadataChange, deadline: Monotonic) -> Outcome<Changed> {
        loop {
            let outcome = self.change_now(change, deadline).await?;
            if outcome != Err(OperationFault::NotYetKnown) || deadline.left(self.now()) <= SETTLING {
                return Ok(outcome);
            }
            tokio::time::sleep(SETTLING).await;
        }
    }

    async fn change_now(&self, change: &MetadataChange, deadline: Monotonic) -> Outcome<Changed> {
        let body = |epoch| RequestBody::Write {
            shard: ShardId::METADATA,
            epoch,
            command: ShardCommand::Metadata(change.clone()),
        };
        let answer = self.ask_metadata_leader(body, deadline).await?;
        let ReplyBody::Write(Ok(reply)) = answer.body else {
            return Err(MetadataError::Uncertain(CallError::WrongReply.into()));
        };
        let changed = |operation| Changed {
            operation,
            index: reply.index,
        };
        match reply.results.into_iter().next() {
            Some(ItemResult::Operation(outcome)) => Ok(settled(change, answer.again, outcome).map(changed)),
            Some(ItemResult::Ok) => Ok(Ok(changed(OperationId::default()))),
            _ => Err(MetadataError::Uncertain(CallError::WrongReply.into())),
        }
    }

    /// Asks until the leader answers or the deadline is near. The body is made for the epoch that the replicas have; it may be sent again
    /// after a try of which nobody knows what came of it.
    async fn ask_metadata_leader(
        &self,
        body: impl Fn(ShardEpoch) -> RequestBody,
        deadline: Monotonic,
    ) -> Result<Answer, MetadataError> {
        let shard = ShardId::METADATA;
        let missing = || MetadataError::NoLeader(ShardError::NotHere(shard).into());
        let (mut to, mut current) = (None, ShardEpoch::default());
        let (mut again, mut redirects) = (false, 0);
        loop {
            let map = self.map.load();
            let plan = map.shard(shard).ok_or_else(missing)?;
            let node = to.or_else(|| self.leaders.of(plan)).unwrap_or_default();
            let body = body(plan.epoch.max(current));
            let writes = matches!(body, RequestBody::Write { .. });
            let left = deadline.left(self.now()).min(TRY_LIMIT);
            let failure = match self.try_metadata(node, body, left).await {
                Ok(body) => {
                    self.leaders.learn(shard, node);
                    return Ok(Answer { body, again });
                }
                Err(failure) => failure,
            };
            if let Some(why) = failure.invalid() {
                return Err(MetadataError::Invalid(why));
            }
            again |= writes && failure.may_be_done();
            let mut hint = None;
            match &failure {
                ShardFailure::Shard(ShardError::NotLeader { hint: known }) => hint = *known,
                // It leads, and knows better than the map.
                ShardFailure::Shard(ShardError::StaleEpoch { current: newer }) if *newer > current => {
                    (hint, current) = (Some(node), *newer);
                }
                _ => {}
            }
            self.leaders.forget(shard, node);
            to = Some(hint.unwrap_or_else(|| plan.next_after(node)));
            redirects += u32::from(hint.is_some());
            let quick = hint.is_some() && redirects <= QUICK_REDIRECTS;
            let pause = if quick { Duration::ZERO } else { AGAIN };
            if deadline.left(self.now()) <= pause {
                return Err(match again {
                    true => MetadataError::Uncertain(failure),
                    false => MetadataError::NoLeader(failure),
                });
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// The reply of a leader, or why it is none.
    async fn try_metadata(&self, node: NodeId, body: RequestBody, left: Duration) -> Result<ReplyBody, ShardFailure> {
        let asked = tokio::time::timeout(left, self.admin(node, body, left)).await;
        match asked.map_err(|_| ShardFailure::OutOfTime)?? {
            ReplyBody::Write(Err(error)) | ReplyBody::Describe(Err(error)) | ReplyBody::Rehearse(Err(error)) => {
                Err(error.into())
            }
            answer => Ok(answer),
        }
    }
}

/// Where an earlier try may have been done, what it would have left behind is no reason to refuse.
fn settled(
    change: &MetadataChange,
    again: bool,
    outcome: Result<OperationId, OperationFault>,
) -> Result<OperationId, OperationFault> {
    match (change, outcome) {
        (MetadataChange::Undrain { .. }, Err(OperationFault::NotDrained(_))) if again => Ok(OperationId(0)),
        // It is gone, and nobody else has had its id.
        (MetadataChange::Remove { .. }, Err(OperationFault::UnknownNode(_))) if again => Ok(OperationId(0)),
        (MetadataChange::Cancel { operation, .. }, Err(OperationFault::Ended(_))) if again => Ok(*operation),
        (_, outcome) => outcome,
    }
}

#[cfg(test)]
#[path = "metadata_test.rs"]
mod tests;
