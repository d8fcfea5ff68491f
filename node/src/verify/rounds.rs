//! The leader's side of a check.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use covey_env::Monotonic;
use covey_rpc::NodeClient;
use covey_shared::command::ShardCommand;
use covey_shared::ids::{LogIndex, NodeId, ShardId};
use covey_shared::layout::ShardPlan;
use covey_shared::wire::{ReplicaHash, ReplyBody, RequestBody, ShardError};
use futures::future::join_all;

use super::majority::{Finding, judge};
use crate::question;
use crate::server::NodeHandle;

/// Time for an entry to be replicated.
const WRITE_DEADLINE: Duration = Duration::from_secs(30);
/// Time for a question to another node.
const ASK_DEADLINE: Duration = Duration::from_secs(2);
/// Pause between questions, and between looks at what is due.
const PAUSE: Duration = Duration::from_secs(1);
/// To the first checks after a start, and to the next try of one that could not be made, at most.
const SOON: Duration = Duration::from_secs(600);
/// Time for a majority to hash.
const PATIENCE: Duration = Duration::from_secs(300);

/// Checks the shards that this node leads, one after the other.
pub(crate) struct Rounds {
    pub(crate) handle: Arc<NodeHandle>,
    pub(crate) clients: Arc<BTreeMap<NodeId, NodeClient>>,
    pub(crate) interval: Duration,
}

impl Rounds {
    /// Never ends. The first checks come a while after the start, which has enough to do.
    pub(crate) async fn run(self) {
        let mut due: BTreeMap<ShardId, Monotonic> = BTreeMap::new();
        let soon = SOON.min(self.interval);
        let shards: Vec<ShardPlan> = self.handle.replicas.values().map(|r| r.plan.clone()).collect();
        loop {
            tokio::time::sleep(PAUSE).await;
            for plan in &shards {
                let now = self.handle.env.clock.monotonic();
                let next = *due.entry(plan.shard).or_insert_with(|| now.plus(soon));
                if now < next || !self.handle.board.leads(plan.shard) {
                    continue;
                }
                due.insert(plan.shard, now.plus(self.interval));
                if let Err(error) = self.check(plan).await {
                    due.insert(plan.shard, now.plus(soon));
                    tracing::info!(shard = plan.shard.0, %error, "the check of the replicas is put off");
                }
            }
        }
    }

    async fn check(&self, plan: &ShardPlan) -> Result<(), ShardError> {
        let index = self.propose(plan, ShardCommand::ComputeHash).await?;
        let begun = self.handle.env.clock.monotonic();
        let (finding, copies) = loop {
            let hashes = self.ask(plan, index).await;
            let finding = judge(&hashes);
            let late = self.handle.env.clock.monotonic().since(begun) > PATIENCE;
            // Who is slower learns from the log what it should find.
            if finding != Finding::Open || late {
                break (finding, hashes.iter().flatten().any(|found| found.copy));
            }
            if !self.handle.board.leads(plan.shard) {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        };
        match finding {
            Finding::Equal(hash) if copies => {
                // They are witnesses from now on.
                self.propose(plan, ShardCommand::VerifyHash { index, hash }).await?;
            }
            Finding::Equal(_) => tracing::info!(shard = plan.shard.0, index = index.0, "all replicas hold the same"),
            Finding::Most(hash) => {
                self.propose(plan, ShardCommand::VerifyHash { index, hash }).await?;
            }
            Finding::Split => tracing::error!(
                shard = plan.shard.0,
                index = index.0,
                "the replicas hold different things, and none has a majority: keep the directories of all nodes, and report it"
            ),
            Finding::Open => tracing::warn!(
                shard = plan.shard.0,
                index = index.0,
                "too few replicas could be compared"
            ),
        }
        Ok(())
    }

    async fn propose(&self, plan: &ShardPlan, command: ShardCommand) -> Result<LogIndex, ShardError> {
        let deadline = self.handle.env.clock.monotonic().plus(WRITE_DEADLINE);
        let written = self.handle.write(plan.shard, plan.epoch, command, deadline).await?;
        Ok(written.index)
    }

    async fn ask(&self, plan: &ShardPlan, index: LogIndex) -> Vec<Option<ReplicaHash>> {
        let shard = plan.shard;
        let ask = |node: NodeId| async move {
            if node == self.handle.node {
                return self.handle.hashes.at(shard, index);
            }
            let body = RequestBody::HashAt { shard, index };
            match question::ask(&self.clients[&node], ASK_DEADLINE, body).await {
                Ok(ReplyBody::HashAt(hash)) => hash,
                Ok(_) | Err(_) => None,
            }
        };
        join_all(plan.voters.iter().map(|place| ask(place.node))).await
    }
}
