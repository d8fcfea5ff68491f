//! One step of an operation on a shard: looks at the shard, does what comes next, and says how it comes along.

use std::sync::Arc;
use std::time::Duration;

use covey_metadata::moving::{self, End, Move, Step, Waiting};
use covey_shared::ids::{ModelEpoch, NodeId, ReplicaId, ShardId};
use covey_shared::metadata::{Ending, Operation, OperationProgress, OperationRecord};
use covey_shared::wire::{Class, RebuildStatus, ReplyBody, RequestBody, ShardError, ShardReport};

use crate::nodes::Clients;
use crate::server::NodeHandle;

/// Longest time of a call. A leader makes its offers in less.
pub(super) const CALL: Duration = Duration::from_secs(6);
/// Time for a look.
const LOOK: Duration = Duration::from_secs(2);

/// What came of a step.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stepped {
    pub(super) progress: OperationProgress,
    /// It has come to its end.
    pub(super) ending: Option<Ending>,
    /// What the leader said.
    pub(super) report: Option<ShardReport>,
    /// A leadership was offered in vain.
    pub(super) offered: bool,
}

/// A replica is on its way out, or not yet back: what becomes of it shows soon.
struct Leaving;

/// What a step works with.
pub(super) struct Steps {
    pub(super) clients: Arc<Clients>,
    pub(super) handle: Arc<NodeHandle>,
    /// Who led the shard when its node was last looked at.
    pub(super) leader: Option<ReplicaId>,
    /// How the new replica was coming along then.
    pub(super) rebuild: Option<RebuildStatus>,
}

impl Steps {
    /// Of an operation on one shard. `late`: its time has run out.
    pub(super) async fn step(&self, record: &OperationRecord, late: bool) -> Option<Stepped> {
        let shard = record.what.shard()?;
        let report = match self.leader {
            Some(leader) => self.members(leader.node(), shard).await.ok(),
            None => None,
        };
        let Some(report) = report.filter(|report| !report.members.is_empty()) else {
            if let (Operation::TransferLeader { .. }, true) = (record.what, record.cancelled) {
                // There is nothing to take back.
                return Some(Stepped {
                    ending: Some(ending(End::Cancelled, late)),
                    ..goes_on(String::new())
                });
            }
            return Some(blocked(format!("shard {shard} has no leader, or it does not answer")));
        };
        let (step, words) = match record.what {
            Operation::Move { shard, from, to } => {
                let wanted = Move { shard, from, to };
                let left_over = match wanted.leaver(&report, record.cancelled) {
                    // Once it is late, what is left there goes when it can.
                    Some(node) if !late => self.left_over(node, shard).await,
                    _ => Ok(None),
                };
                let Ok(left_over) = left_over else {
                    return Some(goes_on(moving::describe(&wanted, &report)));
                };
                let seen = moving::Seen {
                    report: &report,
                    left_over,
                    cancelled: record.cancelled,
                };
                (wanted.next(&seen), moving::describe(&wanted, &report))
            }
            Operation::TransferLeader { to, .. } => {
                let words = format!("node {to} is asked to lead");
                (moving::transfer(&report, to, record.cancelled), words)
            }
            Operation::Drain { .. } | Operation::Maintenance { .. } | Operation::Repair { .. } => return None,
        };
        let stepped = self.follow(step, &report, words, late).await;
        Some(Stepped {
            report: Some(report),
            ..stepped
        })
    }

    async fn follow(&self, step: Step, report: &ShardReport, words: String, late: bool) -> Stepped {
        let (leader, shard) = (report.replica, report.replica.shard());
        // What came of a call shows at the next look.
        match step {
            // A look takes time: it may be somebody else's turn by now.
            Step::Propose(_) | Step::Transfer(_) | Step::Destroy(_) if self.handle.metadata().is_err() => {}
            Step::Propose(change) => {
                _ = self
                    .call(leader.node(), RequestBody::ChangeMembers { shard, change })
                    .await;
            }
            Step::Destroy(replica) => _ = self.call(replica.node(), RequestBody::Destroy { replica }).await,
            Step::Transfer(to) => return self.relieve(leader, to, words).await,
            Step::Wait(waiting) => return self.waits(&waiting, words),
            Step::Done(end) => {
                return Stepped {
                    ending: Some(ending(end, late)),
                    ..goes_on(words)
                };
            }
        }
        goes_on(words)
    }

    /// Has `to` lead instead.
    async fn relieve(&self, leader: ReplicaId, to: NodeId, words: String) -> Stepped {
        let shard = leader.shard();
        match self
            .call(leader.node(), RequestBody::TransferLeader { shard, to })
            .await
        {
            Some(ReplyBody::TransferLeader(Ok(_))) => goes_on(words),
            _ => Stepped {
                offered: true,
                ..self.waits(&Waiting::HandOver(to), words)
            },
        }
    }

    fn waits(&self, waiting: &Waiting, step: String) -> Stepped {
        let mut stepped = goes_on(step);
        let progress = &mut stepped.progress;
        match &self.rebuild {
            // What is fetched says more than that something is.
            Some(rebuild) if rebuild.total_bytes > 0 => fetched(progress, rebuild),
            _ => progress.blocked_by = waiting.to_string(),
        }
        stepped
    }

    /// The replica that a node still has. `None` too if it does not answer: what is left there is of no use to anybody.
    async fn left_over(&self, node: NodeId, shard: ShardId) -> Result<Option<ReplicaId>, Leaving> {
        match self.members(node, shard).await {
            Ok(report) => Ok(Some(report.replica)),
            Err(Some(ShardError::NotReady(_))) => Err(Leaving),
            Err(_) => Ok(None),
        }
    }

    async fn members(&self, node: NodeId, shard: ShardId) -> Result<ShardReport, Option<ShardError>> {
        let client = self.clients.get(node).ok_or(None)?;
        let body = RequestBody::Members { shard };
        match client.call(Class::Admin, LOOK, body, ModelEpoch(0)).await {
            Ok(ReplyBody::Members(report)) => report.map(|report| *report).map_err(Some),
            _ => Err(None),
        }
    }

    async fn call(&self, node: NodeId, body: RequestBody) -> Option<ReplyBody> {
        let client = self.clients.get(node)?;
        client.call(Class::Admin, CALL, body, ModelEpoch(0)).await.ok()
    }
}

fn goes_on(step: String) -> Stepped {
    Stepped {
        progress: OperationProgress {
            step,
            ..OperationProgress::default()
        },
        ending: None,
        report: None,
        offered: false,
    }
}

fn blocked(blocked_by: String) -> Stepped {
    let mut stepped = goes_on(String::new());
    stepped.progress.blocked_by = blocked_by;
    stepped
}

/// How far the new replica is.
fn fetched(progress: &mut OperationProgress, rebuild: &RebuildStatus) {
    let left = rebuild.total_bytes.saturating_sub(rebuild.bytes);
    progress.rate = rebuild.moved_bytes.saturating_mul(1000) / rebuild.elapsed_ms.max(1);
    progress.eta_ms = (progress.rate > 0).then(|| left.saturating_mul(1000) / progress.rate);
    (progress.done, progress.total, progress.bytes) = (rebuild.bytes, rebuild.total_bytes, true);
}

fn ending(end: End, late: bool) -> Ending {
    match end {
        End::Moved => Ending::Done,
        End::Cancelled if late => Ending::Failed("it was not done in time".to_owned()),
        End::Cancelled => Ending::Cancelled,
        End::NothingToMove(_) | End::AlreadyThere(_) => Ending::Failed(end.to_string()),
    }
}

#[cfg(test)]
#[path = "step_test.rs"]
mod tests;
