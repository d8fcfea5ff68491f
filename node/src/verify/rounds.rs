//! The leader's side of a check.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use covey_env::Monotonic;
use covey_shared::command::ShardCommand;
use covey_shared::ids::{LogIndex, NodeId, ShardId};
use covey_shared::wire::{ReplicaHash, ReplyBody, RequestBody, ShardError};
use futures::future::join_all;

use super::majority::{Finding, judge};
use crate::nodes::Clients;
use crate::question;
use crate::replicas::Replica;
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
    pub(crate) clients: Arc<Clients>,
    pub(crate) interval: Duration,
}

impl Rounds {
    /// Never ends. The first checks come a while after the start, which has enough to do.
    pub(crate) async fn run(self) {
        let mut due: BTreeMap<ShardId, Monotonic> = BTreeMap::new();
        let soon = SOON.min(self.interval);
        loop {
            tokio::time::sleep(PAUSE).await;
            let all = self.handle.replicas.all();
            // A check takes long: no replica that leaves meanwhile must be held by it.
            let here: BTreeSet<ShardId> = all.into_iter().map(|replica| replica.shard).collect();
            due.retain(|shard, _| here.contains(shard));
            for shard in here {
                let Some(replica) = self.handle.replicas.get(shard) else {
                    continue;
                };
                let now = self.handle.env.clock.monotonic();
                let next = *due.entry(shard).or_insert_with(|| now.plus(soon));
                if now < next || !self.handle.board.leads(shard) {
                    continue;
                }
                due.insert(shard, now.plus(self.interval));
                if let Err(error) = self.check(&replica).await {
                    due.insert(shard, now.plus(soon));
                    tracing::info!(shard = shard.0, %error, "the check of the replicas is put off");
                }
            }
        }
    }

    async fn check(&self, replica: &Replica) -> Result<(), ShardError> {
        let (shard, epoch) = (replica.shard, replica.applied().epoch);
        let index = self.propose(replica, ShardCommand::ComputeHash).await?;
        let begun = self.handle.env.clock.monotonic();
        let (finding, copies) = loop {
            let hashes = self.ask(replica, index).await;
            let finding = judge(&hashes);
            let late = self.handle.env.clock.monotonic().since(begun) > PATIENCE;
            // Who is slower learns from the log what it should find.
            if finding != Finding::Open || late {
                break (finding, hashes.iter().flatten().any(|found| found.copy));
            }
            if !self.handle.board.leads(shard) {
                return Ok(());
            }
            // Who came later has not hashed it.
            let current = replica.applied().epoch;
            if current != epoch {
                return Err(ShardError::StaleEpoch { current });
            }
            tokio::time::sleep(PAUSE).await;
        };
        match finding {
            Finding::Equal(hash) if copies => {
                // They are witnesses from now on.
                self.propose(replica, ShardCommand::VerifyHash { index, hash }).await?;
            }
            Finding::Equal(_) => tracing::info!(shard = shard.0, index = index.0, "all replicas hold the same"),
            Finding::Most(hash) => {
                self.propose(replica, ShardCommand::VerifyHash { index, hash }).await?;
            }
            Finding::Split => tracing::error!(
                shard = shard.0,
                index = index.0,
                "the replicas hold different things, and none has a majority: keep the directories of all nodes, and report it"
            ),
            Finding::Open => tracing::warn!(shard = shard.0, index = index.0, "too few replicas could be compared"),
        }
        Ok(())
    }

    async fn propose(&self, replica: &Replica, command: ShardCommand) -> Result<LogIndex, ShardError> {
        let deadline = self.handle.env.clock.monotonic().plus(WRITE_DEADLINE);
        let epoch = replica.applied().epoch;
        let written = self.handle.write(replica.shard, epoch, command, deadline).await?;
        Ok(written.index)
    }

    /// Of each voter. Who has no vote is no witness; from `VerifyHash` it learns all the same.
    async fn ask(&self, replica: &Replica, index: LogIndex) -> Vec<Option<ReplicaHash>> {
        let shard = replica.shard;
        let ask = |node: NodeId| async move {
            if node == self.handle.node {
                return self.handle.hashes.at(shard, index);
            }
            let body = RequestBody::HashAt { shard, index };
            match question::ask(&self.clients.get(node)?, ASK_DEADLINE, body).await {
                Ok(ReplyBody::HashAt(hash)) => hash,
                Ok(_) | Err(_) => None,
            }
        };
        let applied = replica.applied();
        join_all(applied.members.voters.iter().map(|voter| ask(voter.node()))).await
    }
}
