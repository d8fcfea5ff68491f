//! The state of every node, asked of all at once.

use std::time::Duration;

use covey_shared::metadata::NodePlace;
use covey_shared::wire::{NodeStatus, ReplyBody, RequestBody};
use futures::future::join_all;

use crate::cluster::Cluster;
use crate::cluster::port::CallError;
use crate::cluster::report::ReadContext;
use crate::cluster::roster::Links;

/// What one node says, or why it says nothing.
#[derive(Clone, Debug)]
pub struct NodeReport {
    /// The node, and where it is.
    pub place: NodePlace,
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
        let links = self.roster.load();
        let nodes = links.directory.nodes.iter();
        join_all(nodes.map(|place| self.node_status(&links, place, context))).await
    }

    async fn node_status(&self, links: &Links, place: &NodePlace, context: &ReadContext) -> NodeReport {
        let now = self.now();
        let asked = self.admin(place.node, RequestBody::Status, context.deadline.left(now));
        let status = match asked.await {
            Ok(ReplyBody::Status(status)) => Ok(*status),
            Ok(_) => Err(CallError::WrongReply),
            Err(error) => Err(error),
        };
        NodeReport {
            place: place.clone(),
            status,
            latency: links
                .get(place.node)
                .map_or(Duration::ZERO, |link| Duration::from_secs_f64(link.view(now).latency)),
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
