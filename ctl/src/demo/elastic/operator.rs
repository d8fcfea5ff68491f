//! Operations as an operator begins and follows them, and which ones to begin.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use covey_api::v1::start_operation_request::What;
use covey_api::v1::{
    DescribeClusterReply, DescribeClusterRequest, MoveReplica, OperationState, OperationView, ShardView,
    StartOperationRequest, UndrainNodeRequest,
};
use tonic::{Code, Status};

use super::super::patient::{in_time, patiently};
use super::super::processes::Processes;
use super::figures::{Ended, Look};
use crate::client::{Client, denied};
use crate::load::is_worth_a_retry;
use crate::progress::Spinner;
use crate::render::operations;

/// Time for one request.
const DEADLINE: Duration = Duration::from_secs(5);
/// Time for an operation. It is taken back then, and waited for no more but for as long as it takes to hear of that.
const LIMIT: Duration = Duration::from_secs(1800);
const LAST_WORD: Duration = Duration::from_secs(30);
/// Time between two looks.
const AGAIN: Duration = Duration::from_millis(200);

pub(super) struct Operator {
    client: Client,
    /// For the audit log.
    by: String,
}

impl Operator {
    pub(super) fn new(client: Client, by: String) -> Operator {
        Operator { client, by }
    }

    /// Nodes and shards as the leader of the metadata sees them.
    pub(super) async fn view(&self) -> Result<DescribeClusterReply> {
        Ok(patiently(async || self.describe(0).await)
            .await
            .map_err(denied("describe"))?)
    }

    pub(super) async fn undrain(&self, node: u64) -> Result<()> {
        let request = UndrainNodeRequest {
            node,
            by: self.by.clone(),
            deadline_ms: 0,
        };
        let undrained = async || self.client.rpc().undrain_node(in_time(request.clone(), DEADLINE)).await;
        patiently(undrained).await.map_err(denied("undrain"))?;
        Ok(())
    }

    /// Begins an operation and waits for its end; an error if that is not the wanted one.
    pub(super) async fn run(&self, what: What, processes: &mut Processes) -> Result<Ended> {
        let request = StartOperationRequest {
            what: Some(what),
            by: self.by.clone(),
            limit_ms: LIMIT.as_millis() as u64,
            dry_run: false,
            deadline_ms: 0,
        };
        let start = async || {
            self.client
                .rpc()
                .start_operation(in_time(request.clone(), DEADLINE))
                .await
        };
        let started = patiently(start).await.map_err(denied("operation"))?;
        self.follow(started.into_inner().operation, processes).await
    }

    async fn follow(&self, id: u64, processes: &mut Processes) -> Result<Ended> {
        let (spinner, started, mut looks) = (Spinner::start(&format!("operation {id}")), Instant::now(), Vec::new());
        loop {
            processes.all_alive()?;
            let looked = match self.describe(id).await {
                Ok(reply) => reply
                    .operations
                    .iter()
                    .find(|one| one.id == id)
                    .map(|one| (one.clone(), reply.at_ms)),
                // A new leader of the metadata may not have applied it yet.
                Err(status) if is_worth_a_retry(status.code()) || status.code() == Code::NotFound => None,
                Err(status) => return Err(denied("describe")(status).into()),
            };
            if let Some((one, at_ms)) = &looked {
                spinner.note(&operations::line(one, *at_ms));
                looks.push(Look {
                    after_ms: at_ms.saturating_sub(one.started_ms),
                    eta_ms: one.eta_ms,
                });
                if one.state() != OperationState::Running {
                    spinner.done(started.elapsed());
                    return ended(one, looks);
                }
            }
            if started.elapsed() > LIMIT + LAST_WORD {
                bail!("operation {id} has not ended after {} s: {looked:?}", LIMIT.as_secs());
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn describe(&self, operation: u64) -> Result<DescribeClusterReply, Status> {
        let request = DescribeClusterRequest {
            operation,
            ..DescribeClusterRequest::default()
        };
        let request = in_time(request, DEADLINE);
        Ok(self.client.rpc().describe_cluster(request).await?.into_inner())
    }
}

fn ended(one: &OperationView, looks: Vec<Look>) -> Result<Ended> {
    match one.state() {
        OperationState::Done => Ok(Ended {
            after_ms: one.ended_ms.saturating_sub(one.started_ms),
            looks,
        }),
        state => Err(anyhow!("operation {} ended as {state:?}: {}", one.id, one.error)),
    }
}

/// The shards that have posts.
fn of_users(view: &DescribeClusterReply) -> impl Iterator<Item = &ShardView> {
    view.shards.iter().filter(|shard| shard.slot_start < shard.slot_end)
}

/// The node that leads most shards with posts, and these.
pub(super) fn busiest(view: &DescribeClusterReply) -> Option<(u64, Vec<u64>)> {
    let mut led: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for shard in of_users(view).filter(|shard| shard.leader != 0) {
        led.entry(shard.leader).or_default().push(shard.shard);
    }
    // Of equals the first node.
    led.into_iter().rev().max_by_key(|(_, shards)| shards.len())
}

/// The leader of the first shard goes to the first node without a replica of it.
pub(super) fn one_move(view: &DescribeClusterReply) -> Option<MoveReplica> {
    let shard = of_users(view).find(|shard| shard.leader != 0)?;
    let to = view.nodes.iter().find(|node| !shard.voters.contains(&node.node))?;
    Some(MoveReplica {
        shard: shard.shard,
        from_node: shard.leader,
        to_node: to.node,
    })
}

/// Replicas of shards with posts that a node has.
pub(super) fn replicas_on(view: &DescribeClusterReply, node: u64) -> usize {
    of_users(view).filter(|shard| shard.voters.contains(&node)).count()
}

#[cfg(test)]
#[path = "operator_test.rs"]
mod tests;
