//! The state of every node, asked of all at once.

use std::time::Duration;

use covey_config::NodeConfig;
use covey_shared::wire::{NodeStatus, ReplyBody, RequestBody};
use futures::future::join_all;

use crate::cluster::Cluster;
use crate::cluster::port::CallError;
use crate::cluster::report::ReadContext;

/// What one node says, or why it says nothing.
#[derive(Clone, Debug)]
pub struct NodeReport {
    /// The node in the configuration.
    pub node: NodeConfig,
    /// Its answer.
    pub status: Result<NodeStatus, CallError>,
    /// Mean time of a call; zero before the first.
    pub latency: Duration,
}

/// The layout of the map, for what no node says: shards without any replica that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WantedShard {
    pub(crate) shard: covey_shared::ids::ShardId,
    pub(crate) slots: covey_shared::slots::SlotRange,
    /// Nodes that have a replica with a vote.
    pub(crate) voters: Vec<covey_shared::ids::NodeId>,
}

impl Cluster {
    /// Asks every node; those that do not answer in time are reported with their error.
    pub async fn status(&self, context: &ReadContext) -> Vec<NodeReport> {
        join_all(self.nodes.iter().map(|node| self.node_status(node, context))).await
    }

    async fn node_status(&self, node: &NodeConfig, context: &ReadContext) -> NodeReport {
        let now = self.now();
        let asked = self.admin(node.id, RequestBody::Status, context.deadline.left(now));
        let status = match asked.await {
            Ok(ReplyBody::Status(status)) => Ok(*status),
            Ok(_) => Err(CallError::WrongReply),
            Err(error) => Err(error),
        };
        NodeReport {
            node: node.clone(),
            status,
            latency: Duration::from_secs_f64(self.links[&node.id].view(now).latency),
        }
    }

    /// The shards that should exist, the metadata first.
    pub(crate) fn wanted_shards(&self) -> Vec<WantedShard> {
        let map = self.map.load();
        let wanted = map.groups().map(|plan| WantedShard {
            shard: plan.shard,
            slots: plan.slots,
            voters: plan.voters.iter().map(|voter| voter.node).collect(),
        });
        wanted.collect()
    }
}
